import test from 'ava';
import { baseImages, readBaseImages } from './base-images.js';

test('the images that the Dockerfile is built on are named by their digests', async (t) => {
  const images = await readBaseImages(process.cwd());
  t.deepEqual(
    images.map(({ argument }) => argument),
    ['BASEOS', 'NODE_IMAGE', 'GO_IMAGE'],
  );
});

test('a tag alone is refused', (t) => {
  t.throws(() => baseImages('ARG GO_IMAGE=golang:1.26-bookworm\n'), { message: /GO_IMAGE/ });
});
