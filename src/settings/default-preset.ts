/** What `./run.sh` without a word means. */
export const defaultPreset = 'default-docker';
