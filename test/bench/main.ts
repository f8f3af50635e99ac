/** `npm run bench -- <name> [options]`: measures what docs/figures.md publishes. Not part of the tests. */
type Bench = { run: (args: string[]) => Promise<void> };

const benches: Readonly<Record<string, string>> = {
  up: 'up → API ready → node Ready → first pod Running, beside two shell launchers [--pairs N] [--api-port N]',
  compare:
    'the same of this checkout and of another commit, in turn: compare COMMIT [--pairs N] [--api-port N]',
  launcher:
    "memory of the long-lived processes; time of certificates, down and kubectl's wrapper [--api-port N]",
  presets:
    'up → node Ready → first pod and memory of each preset; what the OCI wrapper costs [--rounds N] [--containers N] [--presets A,B]',
  ports: 'throughput and latency of published ports',
  nodes: 'join → Ready, and pod → pod across nodes, with large and small packets [--rounds N]',
};

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && name in benches) {
  const { run } = (await import(`./${name}.js`)) as Bench;
  await run(args);
} else {
  for (const [each, measures] of Object.entries(benches)) console.log(`${each.padEnd(10)}${measures}`);
  if (name !== undefined) process.exitCode = 2;
}
