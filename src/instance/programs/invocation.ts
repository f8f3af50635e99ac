import { u7s, type CommandFix } from '../../lib/fixes.js';

/** A program that is executed in our place. */
export type Invocation = {
  command: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
};

/** What helps where an instance lacks what was asked of it. */
export function anotherInstance(preset: string): CommandFix {
  return u7s(['--cluster', 'NAME', 'up', preset], { text: 'start another cluster in addition to it' });
}
