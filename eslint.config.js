import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// The one direction of imports: a layer may use those to its right, never those to its left.
const layers = [
  ['cli'],
  ['cluster'],
  ['host', 'services', 'artifacts', 'rootless', 'images', 'pki', 'kube'],
  ['ui', 'supervisor'],
  ['lib'],
];

const directionOfImports = layers.flatMap((layer, rank) =>
  layer.map((folder) => {
    const forbidden = layers.slice(0, rank).flat();
    if (folder === 'supervisor') forbidden.push('ui');
    if (folder === 'ui') forbidden.push('supervisor');
    return {
      files: [`src/${folder}/**`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: forbidden.map((other) => ({
              group: [`**/${other}/*`],
              message: `${folder} must not import ${other}`,
            })),
          },
        ],
      },
    };
  }),
);

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
    ignores: ['src/cli/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name=/^(env|exit|exitCode)$/]",
          message: 'only cli reads the environment or exits',
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
