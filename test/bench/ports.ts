import { parseArgs } from 'node:util';
import { describeMachine, findOwner, load } from './machine.js';
import { connectionRate, prepareStage, serviceToAnswer, throughput, type Stage } from './port-stage.js';
import { median, spread, table } from './statistics.js';

/** What is measured in each round, in this order and in every other round backwards; Mbit/s, connections a second, milliseconds. */
const measures: Readonly<Record<string, (stage: Stage) => Promise<number>>> = {
  'in: bare RootlessKit, builtin driver': ({ bare }) => throughput(bare),
  'in: our published port': ({ ours }) => throughput(ours),
  'in: NodePort to a pod': ({ nodePort }) => throughput(nodePort),
  'out: bare slirp4netns': ({ bareOut }) => throughput(bareOut),
  'out: a pod': ({ podOut }) => throughput(podOut),
  'rate: bare RootlessKit, builtin driver': ({ rates }) => connectionRate(rates.bare),
  'rate: our published port': ({ rates }) => connectionRate(rates.ours),
  'rate: NodePort to a pod': ({ rates }) => connectionRate(rates.nodePort),
  'Service created → answers, ms': (stage) => serviceToAnswer(stage),
};

const ratios = [
  ['in: our published port', 'in: bare RootlessKit, builtin driver', '≥ 0.95'],
  ['in: NodePort to a pod', 'in: bare RootlessKit, builtin driver', ''],
  ['out: a pod', 'out: bare slirp4netns', '≥ 0.90'],
  ['rate: our published port', 'rate: bare RootlessKit, builtin driver', ''],
  ['rate: NodePort to a pod', 'rate: bare RootlessKit, builtin driver', ''],
] as const;

/** Published ports and the way out, beside a RootlessKit of the same flags with nothing of ours, in one run. Wants root. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string', default: '6' }, 'api-port': { type: 'string', default: '6522' } },
  });
  console.log(await describeMachine());
  const stage = await prepareStage(await findOwner(), Number(values['api-port']));
  const results = new Map(Object.keys(measures).map((name) => [name, [] as number[]]));
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      const forwards = Object.entries(measures);
      for (const [name, measure] of round % 2 === 0 ? forwards : forwards.reverse()) {
        const value = await measure(stage);
        results.get(name)?.push(value);
        console.error(`${round + 1}. ${name}: ${value.toFixed(0)} (load ${load()})`);
      }
    }
  } finally {
    await stage.cleanUp();
  }
  const of = (name: string): number[] => results.get(name) ?? [];
  const rows = [...results].map(([name, values]) => [name, spread(values, 0)]);
  const pairs = ratios.map(([ours, other, aim]) => {
    const each = of(ours).map((value, index) => value / (of(other)[index] ?? NaN));
    return [`${ours} ÷ ${other}`, spread(each), aim];
  });
  console.log(`\n${table(['Mbit/s, connections/s or ms', 'median (least–greatest)'], rows)}`);
  console.log(table(['ratio within a round', 'median (least–greatest)', 'aim'], pairs));
  console.log(
    `Service created → answers: median ${median(of('Service created → answers, ms')).toFixed(0)} ms`,
  );
  console.log(`load at the end: ${load()}`);
}
