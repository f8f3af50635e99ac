import { shellQuote } from '../lib/shell.js';

/**
 * A script that stands in for an OCI runtime: it may rewrite a container's config.json before the runtime creates the
 * container, and passes every other command on.
 *
 * @param runtime absolute path of the real one
 * @param purpose a comment of one line
 * @param rewrite shell commands that edit the file "$config"; `set -e` is not on
 * @returns a POSIX shell script, to be installed executable
 */
export function wrapRuntime(runtime: string, purpose: string, rewrite: string): string {
  return `#!/bin/sh
# ${purpose}
runc=${shellQuote(runtime)}

command= bundle= value_of=
for argument do
  case $value_of in
  bundle) bundle=$argument value_of=; continue ;;
  option) value_of=; continue ;;
  esac
  case $argument in
  -b | --b | -bundle | --bundle) value_of=bundle ;;
  -b=* | --b=* | -bundle=* | --bundle=*) bundle=\${argument#*=} ;;
  -log | --log | -log-format | --log-format | -root | --root | -rootless | --rootless) value_of=option ;;
  -console-socket | --console-socket | -pidfd-socket | --pidfd-socket) value_of=option ;;
  -pid-file | --pid-file | -preserve-fds | --preserve-fds) value_of=option ;;
  -*) ;;
  *) command=\${command:-$argument} ;;
  esac
done
config=\${bundle:-.}/config.json

# Matching text is safe here: within a JSON string every quote has a backslash before it, so a quote between a brace,
# a comma or white space and a letter opens a key or a value, and only a key is followed by a colon. runc ignores a key
# that it does not know. sed -i writes a new file of the same mode and renames it.
if [ "$command" = create ] && [ -e "$config" ]; then
${rewrite}
fi
exec "$runc" "$@"
`;
}
