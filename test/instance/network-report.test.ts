import test from 'ava';
import { formatFix } from '#src/lib/fixes.js';
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

const causes: Record<string, [failing: Trial[], cause: RegExp, fix: RegExp]> = {
  'nothing gets through': [
    [...trials],
    /UDP port 8472 does not get from 192\.0\.2\.10 to 192\.0\.2\.11/,
    /node b: u7s status$/,
  ],
  'only large transfers fail': [['transfer', 'throughput'], /loses fragments/, /with mtu: 1450/],
  'only Services fail': [['clusterIP', 'nodePort'], /kube-proxy/, /node a: u7s logs kube-proxy$/],
  'only the node port fails': [['nodePort'], /node port/, /node b: u7s ports --why$/],
  'only names fail': [['dns'], /cluster DNS/, /^u7s --cluster second kubectl/],
};
for (const [what, [failing, cause, fix]] of Object.entries(causes)) {
  test(`the likely cause when ${what}`, (t) => {
    const pair = pairReport(a, b, findings(...failing), 8472);
    t.false(isSound(pair));
    t.regex(pair.cause ?? '', cause);
    const [first = ''] = pair.fixes ?? [];
    t.regex(formatFix(first, 'second'), fix);
  });
}

test('what was not even tried has failed', (t) => {
  t.false(isSound(pairReport(a, b, [], 8472)));
});
