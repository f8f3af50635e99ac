import type * as X509 from '@peculiar/x509';
import { createRequire } from 'node:module';

// By `require`, since the library's many CommonJS modules load twice as fast that way as by `import`, and loading them is
// most of the time that a cluster's certificates take. The metadata must be loaded before the library.
const require = createRequire(import.meta.url);
require('reflect-metadata');

export const x509 = require('@peculiar/x509') as typeof X509;
