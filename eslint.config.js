import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The floors of the house, from the top down: a room may use those further down, never those before it. docs/architecture.md
 * says what each is for.
 */
const rooms = JSON.parse(readFileSync(join(import.meta.dirname, 'floors.json'), 'utf8'));

/** Rooms that nothing else may use, though they are further down. */
const apart = { entries: [], ui: ['cli'] };

const directionOfImports = rooms.map((room, floor) => {
  const forbidden = [
    ...rooms.slice(0, floor),
    ...Object.entries(apart).flatMap(([name, users]) =>
      users.includes(room) || name === room ? [] : [name],
    ),
  ];
  return {
    files: [`src/${room}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [...new Set(forbidden)].map((other) => ({
            group: [`**/${other}/*`],
            message: `${room} must not import ${other}: see the floors in eslint.config.js`,
          })),
        },
      ],
    },
  };
});

export default tseslint.config(
  { ignores: ['dist/', 'dist-test/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'test/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 100 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/entries/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name=/^(env|exit|exitCode)$/]",
          message: 'only cli and entries read the environment or exit',
        },
      ],
    },
  },
  ...directionOfImports,
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', AbortController: 'readonly' } },
  },
);
