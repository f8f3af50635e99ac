/** Runs before dockerd in its namespaces; the launcher, whose control socket is the argument, does the work. */
import { takeBackPorts } from '../launcher/client.js';

await takeBackPorts(process.argv[2] ?? '', AbortSignal.timeout(10_000));
