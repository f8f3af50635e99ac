/** The preset of `./run.sh` without arguments. */
export const defaultPreset = 'default-docker';
