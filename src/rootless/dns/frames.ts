/** DNS messages on a stream: each has its length before it, in two bytes. */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Takes what arrives on a stream, and hands out each message as soon as it is whole. */
export function createFrameReader(onMessage: (message: Buffer) => void): (part: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (part) => {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 2) {
      const end = 2 + rest.readUInt16BE();
      if (rest.length < end) return;
      onMessage(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  };
}
