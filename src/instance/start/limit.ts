import { U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { instanceStatus } from '../../launcher/client.js';
import { unready } from '../../launcher/diagnosis.js';
import type { InstanceContext } from '../context.js';

/** Waits for `work`, but no longer than `timeoutMs`; the error names what is missing. */
export async function within(
  timeoutMs: number,
  work: Promise<void>,
  context: Pick<InstanceContext, 'name' | 'paths' | 'signal'>,
): Promise<void> {
  const { name, signal } = context;
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  const over = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true });
  });
  try {
    await Promise.race([work, over]);
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw error;
    const cause = await missing(context);
    throw new U7sError(
      'start-timeout',
      `cluster ${name} was not Ready within ${timeoutMs / 1000} s: ${cause}`,
      {
        fixes: [
          u7s(['logs'], { text: `read the logs in ${context.paths.logs}` }),
          'allow it more time with --timeout, or keep it as it is with --retain',
        ],
      },
    );
  }
}

async function missing({ paths, signal }: Pick<InstanceContext, 'paths' | 'signal'>): Promise<string> {
  const status = await instanceStatus(paths.controlSocket, signal).catch(() => undefined);
  if (status === undefined || status.services.length === 0) return 'no service was started yet';
  const services = unready(status.services);
  return services.length > 0
    ? `not ready are ${services.join(', ')}`
    : 'the node or the cluster DNS is missing';
}
