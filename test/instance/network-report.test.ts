import test from 'ava';
import { isSound, pairReport, trials, type Finding, type Trial } from '#src/instance/network-report.js';

const a = { name: 'a', address: '192.0.2.10' };
const b = { name: 'b', address: '192.0.2.11' };

const findings = (...failing: Trial[]): Finding[] =>
  trials.map((trial) => (failing.includes(trial) ? { ok: false, error: 'timeout' } : { ok: true }));

test('where everything works there is nothing to explain', (t) => {
  const pair = pairReport(a, b, findings(), 8472);
  t.true(isSound(pair));
  t.is(pair.cause, undefined);
});

const causes: Record<string, [failing: Trial[], cause: RegExp]> = {
  'nothing gets through': [[...trials], /UDP port 8472 does not get from 192\.0\.2\.10 to 192\.0\.2\.11/],
  'only large transfers fail': [['transfer', 'throughput'], /loses fragments; start all nodes with mtu/],
  'only Services fail': [['clusterIP', 'nodePort'], /kube-proxy does not do its part on a/],
  'only the node port fails': [['nodePort'], /u7s ports --why on b/],
  'only names fail': [['dns'], /cluster DNS is not reached from a/],
};
for (const [what, [failing, cause]] of Object.entries(causes)) {
  test(`the likely cause when ${what}`, (t) => {
    const pair = pairReport(a, b, findings(...failing), 8472);
    t.false(isSound(pair));
    t.regex(pair.cause ?? '', cause);
  });
}

test('what was not even tried has failed', (t) => {
  t.false(isSound(pairReport(a, b, [], 8472)));
});
