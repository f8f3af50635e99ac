export type Mount = { point: string; type: string; options: string[] };

/** The mount of /proc/self/mountinfo (proc_pid_mountinfo(5)) that `path` lies on: the last one of the longest mount point. */
export function findMount(mountinfo: string, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point, options] = before.split(' ').map(unescape);
    if (point === undefined || options === undefined) continue;
    const holds = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (holds && point.length >= (best?.point.length ?? 0)) {
      best = { point, type: after.split(' ')[0] ?? '', options: options.split(',') };
    }
  }
  return best;
}

/** Blanks and the like are octal escapes. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
