/** `u7s-<hostname>` as Usernetes has always named its nodes, made to fit a DNS label. */
export function defaultNodeName(host: string): string {
  const label = `u7s-${host.toLowerCase().split('.')[0] ?? ''}`.replaceAll(/[^-a-z0-9]/g, '-');
  return label.slice(0, 40).replace(/-+$/, '');
}
