/** `kubectl.sh --cluster NAME …`: right after the word the option is ours; the program's own of this name may stand anywhere else. */
export function takeCluster(args: readonly string[]): { cluster?: string; args: string[] } {
  const [first = '', second, ...rest] = args;
  if (first === '--cluster' && second !== undefined) return { cluster: second, args: rest };
  const assigned = /^--cluster=(.*)$/.exec(first)?.[1];
  return assigned === undefined ? { args: [...args] } : { cluster: assigned, args: args.slice(1) };
}
