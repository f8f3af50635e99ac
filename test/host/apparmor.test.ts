import test from 'ava';
import { appArmorProfile } from '#src/host/apparmor.js';

const attachment = (folders: string[]): string | undefined =>
  /^profile usernetes-alice "(.*?)\{,\*\*\/\}/m.exec(appArmorProfile('alice', folders).content)?.[1];

test('a profile is about the user’s home, and about folders elsewhere', (t) => {
  t.is(attachment(['/home/alice', '/home/alice/.local/share', '/home/alice/.local/state']), '/home/alice/');
  t.is(attachment(['/home/alice', '/data/alice', '/home/alice/.local/state']), '/{home/alice,data/alice}/');
});

test('a folder whose name begins like the home is not below it', (t) => {
  t.is(attachment(['/home/alice', '/home/alice2']), '/{home/alice,home/alice2}/');
});
