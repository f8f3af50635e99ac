import test from 'ava';
import { renderTable } from '#src/ui/table.js';

test('looks as kubectl prints it', (t) => {
  t.is(
    renderTable(
      ['name', 'Status', 'age'],
      [
        ['etcd', 'Ready', '3m12s'],
        ['kube-apiserver', '', ''],
      ],
    ),
    'NAME             STATUS   AGE\netcd             Ready    3m12s\nkube-apiserver\n',
  );
});

test('without rows there is the header alone', (t) => {
  t.is(renderTable(['name', 'age'], []), 'NAME   AGE\n');
});

test('a cell cannot command the terminal, nor begin a line of its own', (t) => {
  t.is(renderTable(['name'], [['a\x1b[2J\nb']]), 'NAME\na\\x1b[2J\\nb\n');
});
