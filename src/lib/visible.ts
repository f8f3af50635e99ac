/**
 * Control characters but line feed and tab, and those that change the direction of text: a terminal obeys them, so whoever
 * can put them into a message or a name could redraw the screen, or have it show something else than there is.
 */
// eslint-disable-next-line no-control-regex -- this is what it is about
const commanding = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of others as it can be printed on a terminal: what the terminal would obey is shown instead, as `\x1b` or `\u202e`. */
export function visible(text: string): string {
  return text.replace(commanding, escaped);
}

/** The same for what has to stay on one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
