/** Ports from the first to the last, both included. */
export type PortRange = { first: number; last: number };

/** Reads `8000-9000,30000-32767` or `8443`; undefined for anything else. */
export function parsePortRanges(text: string): PortRange[] | undefined {
  const ranges = text.split(',').map((part) => {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    return { first: Number(from), last: Number(to) };
  });
  const isRange = ({ first, last }: PortRange): boolean => first >= 1 && last <= 65_535 && first <= last;
  return ranges.every(isRange) ? ranges : undefined;
}

export const inRanges = (ranges: readonly PortRange[], port: number): boolean =>
  ranges.some(({ first, last }) => port >= first && port <= last);
