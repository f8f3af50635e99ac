import { createLogUpdate } from 'log-update';
import { bold, cyan, dim, green, red, yellow } from 'yoctocolors';
import type { Event, StepEvent } from '../lib/events.js';
import { formatElapsed, textWithFixes } from './renderer.js';
import type { Clock, FixText, Output, Renderer } from './renderer.js';

const spinnerFrames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const framePeriod = 100;
const barWidth = 20;
/** Of a terminal that does not know its size. */
const defaultSize = { columns: 80, rows: 24 };

type RunningStep = { title: string; startedAt: number; detail?: string; fraction?: number };

/** For a terminal: the running steps are redrawn in place, one line each; those that have ended scroll up above them. */
export function createTtyRenderer(output: Output, clock: Clock, fixText: FixText): Renderer {
  const running = new Map<string, RunningStep>();
  // The cursor stays visible, so that nothing needs to be restored when the process is killed.
  const draw = createLogUpdate(sized(output) as unknown as NodeJS.WriteStream, { showCursor: true });
  let stopSpinner: (() => void) | undefined;

  const redraw = (): void => {
    if (running.size > 0) {
      stopSpinner ??= clock.every(framePeriod, redraw);
      draw(liveLines([...running.values()], clock.now(), output.columns || defaultSize.columns).join('\n'));
    } else {
      stopSpinner?.();
      stopSpinner = undefined;
      draw.clear();
    }
  };

  const update = (event: StepEvent): void => {
    const { id, title, detail, fraction } = event;
    const startedAt = event.state === 'started' ? clock.now() : (running.get(id)?.startedAt ?? clock.now());
    running.set(id, {
      title,
      startedAt,
      ...(detail === undefined ? {} : { detail }),
      ...(fraction === undefined ? {} : { fraction }),
    });
  };

  return {
    report: (event) => {
      if (event.kind === 'step' && (event.state === 'started' || event.state === 'progress')) {
        update(event);
      } else {
        const startedAt = event.kind === 'step' ? running.get(event.id)?.startedAt : undefined;
        if (event.kind === 'step') running.delete(event.id);
        draw.persist(
          endedLine(event, startedAt === undefined ? undefined : clock.now() - startedAt, fixText),
        );
      }
      redraw();
    },
    close: () => {
      stopSpinner?.();
      draw.clear();
      draw.done();
    },
  };
}

/** log-update draws nothing at all on a terminal of 0 rows. */
function sized(output: Output): Output {
  return {
    write: (text) => output.write(text),
    ...(output.isTTY === undefined ? {} : { isTTY: output.isTTY }),
    get columns() {
      return output.columns || defaultSize.columns;
    },
    get rows() {
      return output.rows || defaultSize.rows;
    },
  };
}

/** The running steps, cut to the terminal's width, since a wrapped line cannot be redrawn in place. */
export function liveLines(steps: RunningStep[], now: number, columns: number): string[] {
  const spinner = spinnerFrames[Math.floor(now / framePeriod) % spinnerFrames.length] ?? '';
  return steps.map(({ title, startedAt, detail, fraction }) => {
    const time = formatElapsed(now - startedAt);
    const bar = fraction === undefined ? '' : `  ${progressBar(fraction)}`;
    const room = columns - 2 - title.length - bar.length - time.length - 3;
    const shown = detail && room > 3 ? `  ${cut(detail, room - 2)}` : '';
    return `${cyan(spinner)} ${cut(title, columns - 3)}${cyan(bar)}${dim(shown)}  ${dim(time)}`;
  });
}

function endedLine(event: Event, elapsed: number | undefined, fixText: FixText): string {
  if (event.kind === 'warning') return `${yellow('!')} ${textWithFixes(event, fixText)}`;
  if (event.kind === 'note') return textWithFixes(event, fixText);
  const mark = event.state === 'failed' ? red('✗') : green('✓');
  const title = event.state === 'failed' ? bold(event.title) : event.title;
  const time = elapsed === undefined ? '' : `  ${dim(formatElapsed(elapsed))}`;
  return `${mark} ${title}${event.detail ? dim(`  ${event.detail}`) : ''}${time}`;
}

function progressBar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return '━'.repeat(filled) + '─'.repeat(barWidth - filled);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
