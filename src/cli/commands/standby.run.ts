import type { Command } from 'commander';
import { standby, waitThenStop } from '../../instance/standby.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { stayOrDetach, tellReady } from '../keep-up.js';
import { instanceTypist } from '../typist.js';

export function run(cli: Cli, command: Command, preset: string, wait: boolean): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const started = await standby(context, preset);
    if (started === undefined) {
      const typed = instanceTypist(cli);
      context.report({
        kind: 'note',
        text: `this host is ready: ${typed(['up'])}, or ${typed(['join'])}`,
      });
    } else {
      await tellReady(cli, context, started, false);
      await stayOrDetach(context, started, { foreground: false });
    }
    if (!wait) return;
    await waitThenStop(context);
    cli.signal.throwIfAborted();
  });
}
