import type * as X509 from '@peculiar/x509';
import { createRequire } from 'node:module';

// By `require`, because the library's many CommonJS modules load twice as fast that way as through `import`, and that
// is most of the time a cluster's certificates take. The metadata has to be there before the library.
const require = createRequire(import.meta.url);
require('reflect-metadata');

export const x509 = require('@peculiar/x509') as typeof X509;
