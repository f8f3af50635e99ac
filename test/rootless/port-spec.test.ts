import test from 'ava';
import fc from 'fast-check';
import { UsageError } from '#src/lib/errors.js';
import {
  formatParent,
  formatPortSpec,
  parsePortSpec,
  portsConflict,
  protocols,
  type PortSpec,
} from '#src/rootless/port-spec.js';

const port = fc.integer({ min: 1, max: 65535 });
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const portSpec: fc.Arbitrary<PortSpec> = fc
  .record({
    proto: fc.constantFrom(...protocols),
    parentIP: fc.oneof(fc.constant(''), address),
    parentPort: port,
    childIP: fc.option(address, { nil: undefined }),
    childPort: port,
  })
  .map(({ childIP, ...spec }) => (childIP === undefined ? spec : { ...spec, childIP }));

const tcp = { proto: 'tcp', parentIP: '127.0.0.1', parentPort: 8080, childPort: 80 } as const;

const accepted: Record<string, PortSpec> = {
  '127.0.0.1:8080:80/tcp': tcp,
  '0.0.0.0:8080:80/tcp': { ...tcp, parentIP: '0.0.0.0' },
  ':8080:80/tcp': { ...tcp, parentIP: '' },
  '127.0.0.1:8080:80/tcp4': { ...tcp, proto: 'tcp4' },
  '127.0.0.1:8080:80/sctp': { ...tcp, proto: 'sctp' },
  '127.0.0.1:8080:10.0.2.100:80/tcp': { ...tcp, childIP: '10.0.2.100' },
  '127.0.0.1:8080::80/tcp': tcp,
  '[::1]:8080:80/tcp6': { ...tcp, proto: 'tcp6', parentIP: '::1' },
  '[::1]:8080:[::2]:80/udp': { ...tcp, proto: 'udp', parentIP: '::1', childIP: '::2' },
};
for (const [text, spec] of Object.entries(accepted)) {
  test(`${text} is understood`, (t) => {
    t.deepEqual(parsePortSpec(text), spec);
  });
}

const refused: [text: string, reason: RegExp][] = [
  ['bad', /^missing proto in PortSpec string: "bad"$/],
  ['8080', /^missing proto in PortSpec string: "8080"$/],
  ['8080/tcp', /^unexpected PortSpec string/],
  ['8080:80/tcp', /^unexpected PortSpec string/],
  ['127.0.0.1:8080:80/http', /unknown proto: "http"$/],
  ['127.0.0.1:8080:80/TCP', /unknown proto: "TCP"$/],
  ['127.0.0.1:0:80/tcp', /^invalid ParentPort .*: 0 is not between 1 and 65535$/],
  ['127.0.0.1:65536:80/tcp', /^invalid ParentPort .*: 65536 is not between 1 and 65535$/],
  ['127.0.0.1:8080:0/tcp', /^invalid ChildPort .*: 0 is not/],
  ['127.0.0.1:8080:65536/tcp', /^invalid ChildPort .*: 65536 is not/],
  ['127.0.0.1:http:80/tcp', /^unexpected ParentPort/],
  ['127.0.0.1:8080:/tcp', /^unexpected ChildPort/],
  ['localhost:8080:80/tcp', /^unexpected ParentIP/],
  ['127.0.0.256:8080:80/tcp', /^unexpected ParentIP/],
  ['[fe80::1%eth0]:8080:80/tcp', /^unexpected ParentIP/],
  ['::1:8080:80/tcp', /^unexpected PortSpec string/],
  ['127.0.0.1:8080:web:80/tcp', /^unexpected ChildIP/],
  ['', /^missing proto/],
];
for (const [text, reason] of refused) {
  test(`${JSON.stringify(text)} is refused, with the reason and the form`, (t) => {
    const error = t.throws(() => parsePortSpec(text), { instanceOf: UsageError, message: reason });
    t.is(error.code, 'port-spec');
    t.regex(JSON.stringify(error.fixes[0]), /127\.0\.0\.1:8080:80\/tcp/);
  });
}

test('a list with commas is refused, with the advice to use words', (t) => {
  for (const list of [
    '127.0.0.1:1:1/tcp,127.0.0.1:2:2/tcp',
    '127.0.0.1:1,2:1/tcp',
    '127.0.0.1:1:1/tcp,udp',
  ]) {
    t.regex(
      JSON.stringify(t.throws(() => parsePortSpec(list), { instanceOf: UsageError }).fixes[0]),
      /a word of its own/,
    );
  }
});

test('every spec is read back from its text', (t) => {
  fc.assert(fc.property(portSpec, (spec) => t.deepEqual(parsePortSpec(formatPortSpec(spec)), spec)));
});

test('any text is either a spec or refused as wrong usage', (t) => {
  const pieces = fc.constantFrom('127.0.0.1', '::1', '[', ']', ':', '/', '8080', 'tcp', ',', ' ', '-', '"');
  const texts = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 10 }).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const spec = parsePortSpec(text);
        t.deepEqual(parsePortSpec(formatPortSpec(spec)), spec);
      } catch (error) {
        t.true(error instanceof UsageError);
      }
    }),
    { numRuns: 1000 },
  );
});

const conflict = (a: string, b: string): boolean => portsConflict(parsePortSpec(a), parsePortSpec(b));

test('a wildcard takes the port on every address, another address does not', (t) => {
  for (const wildcard of ['0.0.0.0:80:1/tcp', ':80:1/tcp', '[::]:80:1/tcp']) {
    t.true(conflict(wildcard, '127.0.0.1:80:2/tcp'), wildcard);
    t.true(conflict(wildcard, '[::1]:80:2/tcp6'), wildcard);
  }
  t.true(conflict('127.0.0.1:80:1/tcp', '127.0.0.1:80:2/tcp4'));
  t.true(conflict('[::1]:80:1/tcp', '[0:0::1]:80:1/tcp'));
  t.false(conflict('127.0.0.1:80:1/tcp', '127.0.0.2:80:1/tcp'));
  t.false(conflict('127.0.0.1:80:1/tcp', '127.0.0.1:81:1/tcp'));
});

test('the two address families do not conflict where both are named', (t) => {
  t.false(conflict('0.0.0.0:80:1/tcp4', '[::]:80:1/tcp6'));
  t.false(conflict('127.0.0.1:80:1/tcp', '[::1]:80:1/tcp'));
});

test('TCP and UDP never conflict, and conflicts are mutual', (t) => {
  fc.assert(
    fc.property(portSpec, portSpec, (a, b) => {
      const same = { ...b, parentPort: a.parentPort };
      t.is(portsConflict(a, same), portsConflict(same, a));
      t.false(portsConflict({ ...a, proto: 'tcp' }, { ...same, proto: 'udp' }));
    }),
  );
});

test('what is taken on the host is named without what it leads to', (t) => {
  t.is(formatParent(parsePortSpec('127.0.0.1:8080:10.0.2.100:80/tcp')), '127.0.0.1:8080/tcp');
  t.is(formatParent(parsePortSpec(':53:53/udp')), '*:53/udp');
  t.is(formatParent(parsePortSpec('[::1]:53:53/udp6')), '[::1]:53/udp6');
});
