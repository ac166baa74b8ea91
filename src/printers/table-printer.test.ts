import { describe, expect, it } from 'vitest';
import { createTablePrinter, type ServerTable, type TableStyle } from './table-printer.ts';

const table: ServerTable = {
  kind: 'Table',
  metadata: {},
  columnDefinitions: [
    { name: 'Name', type: 'string' },
    { name: 'Up', type: 'boolean' },
    { name: 'Restarts', type: 'integer' },
    { name: 'Node', type: 'string', priority: 1 },
  ],
  rows: [
    {
      cells: ['web', true, 0, 'node-1'],
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'shop', labels: { tier: 'front', app: 'web' } },
      },
    },
    {
      cells: ['long-name-of-a-pod', null, 12, 'first line\nsecond'],
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'default' } },
    },
  ],
};

describe('a table', () => {
  it.each<[string, TableStyle]>([
    ['plain', {}],
    ['wide', { wide: true }],
    ['without headers', { noHeaders: true }],
    ['with namespaces and labels', { withNamespace: true, showLabels: true, labelColumns: ['app'] }],
    ['with the type before names', { namePrefix: 'pod' }],
  ])('%s', async (name, style) => {
    const text = createTablePrinter(style).print(table);
    await expect(text).toMatchFileSnapshot(`testdata/table-${name.replaceAll(' ', '-')}.golden`);
  });

  it('keeps its columns when rows come later, and prints the header once', () => {
    const printer = createTablePrinter();
    const later = { ...table, columnDefinitions: null, rows: table.rows?.slice(0, 1) ?? [] };
    expect(printer.print(table) + printer.print(later)).toBe(
      [
        'NAME                 UP     RESTARTS',
        'web                  true   0',
        'long-name-of-a-pod          12',
        'web                  true   0',
        '',
      ].join('\n'),
    );
  });

  it('without rows prints nothing', () => {
    expect(createTablePrinter().print({ ...table, rows: [] })).toBe('');
  });
});
