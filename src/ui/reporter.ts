import type { Event, Report } from '../lib/events.js';
import { formatFix, type Fix } from '../lib/fixes.js';
import { visibleLine } from '../lib/visible.js';
import { createJsonRenderer } from './json.js';
import { createPlainRenderer } from './plain.js';
import { systemClock } from './renderer.js';
import type { Clock, Output, Renderer } from './renderer.js';

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json';

export type ReporterOptions = {
  mode: ProgressMode;
  /** Warnings only. */
  quiet?: boolean;
  /** Every bit of progress, also where lines are not redrawn in place. */
  verbose?: boolean;
  clock?: Clock;
  /** The words of a fix, for the person who reads it. */
  fixText?: (fix: Fix) => string;
};

export type Reporter = {
  report: Report;
  /** Ends the live display; later events are ignored. */
  close: () => void;
};

/** Shows events on stderr; stdout is for data. */
export function createReporter(
  io: { stderr: Output; env: Record<string, string | undefined> },
  options: ReporterOptions,
): Reporter {
  const clock = options.clock ?? systemClock;
  const renderer = createRenderer(io, options, clock);
  let open = true;
  return {
    report: (event) => {
      if (open && !(options.quiet && event.kind !== 'warning')) renderer.report(printable(event));
    },
    close: () => {
      if (open) renderer.close();
      open = false;
    },
  };
}

/** A step's words may be another's: an image's name, what the API says of a node. Other events pass `textWithFixes`. */
function printable(event: Event): Event {
  if (event.kind !== 'step') return event;
  const { title, detail } = event;
  return {
    ...event,
    title: visibleLine(title),
    ...(detail === undefined ? {} : { detail: visibleLine(detail) }),
  };
}

function createRenderer(
  io: { stderr: Output; env: Record<string, string | undefined> },
  options: ReporterOptions,
  clock: Clock,
): Renderer {
  const { fixText = (fix: Fix) => formatFix(fix, undefined) } = options;
  const mode = options.mode === 'auto' ? (isLiveTerminal(io) ? 'tty' : 'plain') : options.mode;
  if (mode === 'json') return createJsonRenderer(io.stderr, clock);
  const plain = createPlainRenderer(io.stderr, clock, options.verbose ?? false, fixText);
  if (mode === 'plain') return plain;
  return createLazyRenderer(
    import('./tty.js').then(({ createTtyRenderer }) => createTtyRenderer(io.stderr, clock, fixText)),
    plain,
  );
}

/** Holds events back while the renderer is being loaded; `fallback` shows them if the command ends before that. */
function createLazyRenderer(loading: Promise<Renderer>, fallback: Renderer): Renderer {
  let renderer: Renderer | undefined;
  let held: Event[] = [];
  const use = (ready: Renderer): void => {
    renderer ??= ready;
    for (const event of held) renderer.report(event);
    held = [];
  };
  loading.then(use, () => use(fallback));
  return {
    report: (event) => {
      if (renderer) renderer.report(event);
      else held.push(event);
    },
    close: () => {
      if (!renderer) use(fallback);
      renderer?.close();
    },
  };
}

/** Whether lines can be redrawn in place. A terminal without a size, as CI and script(1) make them, has nobody before it. */
function isLiveTerminal({
  stderr,
  env,
}: {
  stderr: Output;
  env: Record<string, string | undefined>;
}): boolean {
  const hasSize = stderr.columns !== 0 && stderr.rows !== 0;
  return stderr.isTTY === true && hasSize && !env.NO_COLOR && !env.CI && env.TERM !== 'dumb';
}
