import type { Clock, Output, Renderer } from './renderer.js';

/** One JSON object a line: the event and its `time` in RFC 3339. */
export function createJsonRenderer(output: Output, clock: Clock): Renderer {
  return {
    report: (event) =>
      void output.write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), ...event })}\n`),
    close: () => {},
  };
}
