import * as z from 'zod';
import { defaultText } from './help.js';
import { settingEntries } from './table.js';

/** Of a description, for editors: what `--config` takes, with the words of the table of settings. */
export function descriptionSchema(): object {
  const properties = settingEntries.map(([name, setting]) => {
    const { $schema: _, ...shape } = z.toJSONSchema(setting.schema(z), {
      io: 'input',
      unrepresentable: 'any',
    });
    const fallback = defaultText(setting);
    const description = fallback === undefined ? setting.help : `${setting.help} (default: ${fallback})`;
    return [name, { description, ...shape }];
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Description of a Usernetes instance',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties) as object,
  };
}

/** A description to begin with: every setting, commented out, with its default. */
export function descriptionTemplate(): string {
  const lines = settingEntries
    .filter(([name]) => !['name', 'preset', 'controlPlane'].includes(name))
    .map(([name, setting]) => {
      const { default: value } = setting;
      const plain = value === undefined || typeof value === 'function' ? '' : ` ${JSON.stringify(value)}`;
      const fallback = defaultText(setting);
      const words = plain === '' && fallback !== undefined ? ` (default: ${fallback})` : '';
      return `# ${setting.help}${words}\n# ${name}:${plain}\n`;
    });
  return `# A description of a cluster: u7s up --config FILE\n\n${lines.join('\n')}`;
}
