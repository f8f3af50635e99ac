import test from 'ava';
import { exchangeByTcp, exchangeByUdp } from '#src/rootless/dns/exchange.js';
import { question } from '../../nameserver.js';

// A broadcast address is refused at once, as every address is on a host without a network.
for (const [how, exchange] of Object.entries({ UDP: exchangeByUdp(), TCP: exchangeByTcp() })) {
  test(`a server to which no way leads by ${how} is an error, and ends nothing else`, async (t) => {
    const { signal } = new AbortController();
    await t.throwsAsync(exchange('255.255.255.255', question('a.example'), signal));
    await t.throwsAsync(exchange('fe80::1', question('a.example'), signal));
  });

  test(`by ${how}, who no longer waits is told so at once`, async (t) => {
    const controller = new AbortController();
    const answer = exchange('127.0.0.1', question('a.example'), controller.signal);
    controller.abort();
    await t.throwsAsync(answer);
  });
}
