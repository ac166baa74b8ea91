import { describe, expect, it } from 'vitest';
import { isStatus } from '../status-error.ts';
import { fieldsMatch, parseFieldSelector, printFieldSelector } from './field-selector.ts';
import { EVERYTHING, printSelector, selectorFrom, selectorMatches } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isStatus(error, 'BadRequest')) return error.message;
    throw error;
  }
  return '';
}

describe('label selectors', () => {
  it.each([
    ['', ''],
    ['a=1', 'a=1'],
    ['b==2, a!=1', 'a!=1,b==2'],
    ['tier in (b, a ,a)', 'tier in (a,b)'],
    ['tier notin (x),!old,new', 'new,!old,tier notin (x)'],
    ['n>5,m<3', 'm<3,n>5'],
    ['in=in', 'in=in'],
    ['a=', 'a='],
    ['a=,b', 'a=,b'],
    ['a in ()', 'a in ()'],
    ['a in (,b)', 'a in (,b)'],
  ])('%j is read and printed as %j', (text, printed) => {
    expect(printSelector(parseLabelSelector(text))).toBe(printed);
  });

  it.each([
    ['=', "found '=', expected: !, identifier, or 'end of string'"],
    ['==', "found '==', expected: !, identifier, or 'end of string'"],
    ['n in', "unable to parse requirement: found '' expected: '('"],
    ['A_B!!', "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"],
    ['n in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['(n)', "found '(', expected: !, identifier, or 'end of string'"],
    ['n=1,', "found '', expected: identifier after ','"],
    ['!n=1', "found '=', expected: ',' or 'end of string'"],
    ['n=1=2', "found '=', expected: ',' or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['n=a b', "found 'b', expected: ',' or 'end of string'"],
    ['/x=1', 'unable to parse requirement: <nil>: Invalid value: "/x": prefix part must be non-empty'],
    [
      'n>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])('%j is refused in the words of the API', (text, message) => {
    expect(messageOf(() => parseLabelSelector(text))).toBe(message);
  });

  it.each([
    ['a=1', { a: '1' }, true],
    ['a!=1', {}, true],
    ['a in (1,2)', { a: '2' }, true],
    ['a notin (1,2)', { a: '2' }, false],
    ['a notin (1,2)', { b: '2' }, true],
    ['!a', { a: '' }, false],
    ['a', { a: '' }, true],
    ['a>5', { a: '6' }, true],
    ['a<5', { a: 'x' }, false],
    ['constructor', {}, false],
    ['', { any: 'thing' }, true],
  ])('%j over %j', (text, labels, expected) => {
    expect(selectorMatches(parseLabelSelector(text), labels)).toBe(expected);
  });

  it('reads the selector of an object', () => {
    const selector = selectorFrom({
      matchLabels: { b: '1', a: '2' },
      matchExpressions: [
        { key: 'c', operator: 'NotIn', values: ['y', 'x'] },
        { key: 'd', operator: 'DoesNotExist' },
      ],
    });
    expect(printSelector(selector)).toBe('a=2,b=1,c notin (x,y),!d');
    expect(selectorMatches(selectorFrom(undefined), {})).toBe(false);
    expect(selectorMatches(selectorFrom({}), {})).toBe(true);
    expect(selectorMatches(EVERYTHING, undefined)).toBe(true);
  });
});

describe('field selectors', () => {
  it.each([
    ['metadata.name=a', [{ field: 'metadata.name', operator: '=', value: 'a' }]],
    [
      'a==b,c!=d,',
      [
        { field: 'a', operator: '=', value: 'b' },
        { field: 'c', operator: '!=', value: 'd' },
      ],
    ],
    [String.raw`a=x\,y\=z\\`, [{ field: 'a', operator: '=', value: String.raw`x,y=z` + '\\' }]],
    ['', []],
  ])('reads %j', (text, selector) => {
    expect(parseFieldSelector(text)).toEqual(selector);
    expect(parseFieldSelector(printFieldSelector(parseFieldSelector(text)))).toEqual(selector);
  });

  it.each([
    ['foo', "invalid selector: 'foo'; can't understand 'foo'"],
    ['metadata.name>a', "invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'"],
    ['metadata.name=a\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('refuses %j', (text, message) => {
    expect(messageOf(() => parseFieldSelector(text))).toBe(message);
  });

  it('compares texts', () => {
    const selector = parseFieldSelector('spec.nodeName=,status.phase!=Failed');
    expect(fieldsMatch(selector, (field) => (field === 'status.phase' ? 'Running' : ''))).toBe(true);
    expect(fieldsMatch(selector, () => 'Failed')).toBe(false);
  });
});
