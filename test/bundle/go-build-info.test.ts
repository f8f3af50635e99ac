import test from 'ava';
import { goBuildInfo, parseBuildInfo } from '#src/bundle/go-build-info.js';

test('the modules of a Go program are read from it, replaced ones by what replaces them', (t) => {
  const text = [
    'path\texample.com/cmd',
    'mod\texample.com/a\tv1.2.3\th1:x',
    'dep\texample.com/b\tv0.1.0\th1:y',
    'dep\texample.com/c\tv0.0.0',
    '=>\texample.com/d\tv2.0.0\th1:z',
    'build\t-trimpath=true',
  ].join('\n');
  const module = Buffer.concat([Buffer.alloc(16, 1), Buffer.from(text), Buffer.alloc(16, 2)]);
  const version = Buffer.from('go1.26.8');
  const head = Buffer.alloc(32);
  head.write('\xff Go buildinf:', 'latin1');
  head[15] = 2;
  const length = Buffer.from([(module.length & 0x7f) | 0x80, module.length >> 7]);
  const section = Buffer.concat([head, Buffer.from([version.length]), version, length, module]);
  t.deepEqual(parseBuildInfo(section), {
    goVersion: 'go1.26.8',
    main: { path: 'example.com/a', version: 'v1.2.3' },
    modules: [
      { path: 'example.com/b', version: 'v0.1.0' },
      { path: 'example.com/d', version: 'v2.0.0' },
    ],
  });
});

test('a program of another language has none', async (t) => {
  t.is(await goBuildInfo(process.execPath), undefined);
  t.is(await goBuildInfo('package.json'), undefined);
});
