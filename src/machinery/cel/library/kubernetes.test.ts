import { beforeAll, describe, expect, it } from 'vitest';
import { DYN, opaqueType } from '../cel-type.ts';
import { celBase, celEnvironment } from '../environment.ts';
import { compile, evaluateWithChecks } from '../program.ts';
import { loadPatterns } from '../../structural/patterns.ts';
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE, authorizerValue, requestResourceValue } from './authorizer.ts';
import type { AccessCheck } from './authorizer.ts';
import { MUTATION_TYPES, jsonPatchFunctions } from './json-patch.ts';
import { valueToJson } from '../value-to-json.ts';

beforeAll(loadPatterns);

const base = celBase([jsonPatchFunctions()]);
const environment = celEnvironment(
  base,
  {
    object: DYN,
    authorizer: opaqueType(AUTHORIZER_TYPE),
    'authorizer.requestResource': opaqueType(RESOURCE_CHECK_TYPE),
  },
  MUTATION_TYPES,
);

function evaluate(source: string): unknown {
  const outcome = compile(source, environment).evaluate(new Map());
  return 'error' in outcome ? `error: ${outcome.error}` : outcome.value;
}

describe('Kubernetes functions', () => {
  it.each([
    ["ip('192.168.0.1').family() == 4 && ip('::1').isLoopback()", true],
    ["string(ip('2001:DB8:0:0:1:0:0:1'))", '2001:db8::1:0:0:1'],
    ["isIP('1.2.3.256') || isIP('1.2.3.04') || isIP('fe80::1%eth0') || isIP('::ffff:1.2.3.4')", false],
    [
      "ip('1.2.3')",
      'error: IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short',
    ],
    [
      "ip('::1::')",
      'error: IP Address "::1::" parse error during conversion from string: ParseAddr("::1::"): multiple :: in address (at ":")',
    ],
    ["cidr('10.1.0.0/16').containsIP('10.1.2.3') && !cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')", true],
    ["string(cidr('10.1.2.3/16').masked())", '10.1.0.0/16'],
    ["cidr('2001:db8::/32').containsCIDR(cidr('2001:db8:1::/48'))", true],
    ["isCIDR('10.0.0.0/33') || isCIDR('10.0.0.0/08')", false],
    ["url('https://user@example.com:8080/a b?x=1&x=2').getEscapedPath()", '/a%20b'],
    ["url('https://example.com/?x=1&x=2&y').getQuery() == {'x': ['1', '2'], 'y': ['']}", true],
    ["url('/path').getScheme() == '' && isURL('/path') && !isURL('../path')", true],
    ["quantity('1.5Gi').compareTo(quantity('1536Mi')) == 0 && quantity('50k').isInteger()", true],
    ["quantity('1000m').isInteger()", false],
    ["quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')", true],
    ["sign(quantity('-1')) == -1 && isQuantity('1.3Gi') && !isQuantity('200K')", true],
    ["semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10'))", true],
    ["isSemver('v1.0') || isSemver('01.0.0')", false],
    ["semver('v1.2', true).minor() == 2 && semver('1.2.3+build') == semver('1.2.3')", true],
    ["semver('1.2')", 'error: No Major.Minor.Patch elements found'],
    ["format.dns1123Label().validate('a-b') == optional.none()", true],
    ["format.named('dns1123LabelPrefix').value().validate('prefix-').hasValue()", false],
    ["format.named('none').hasValue()", false],
    ["format.uri().validate('not a url').value()[0]", 'parse "not a url": invalid URI for request'],
    ["jsonpatch.escapeKey('a/b~c')", 'a~1b~0c'],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });
});

describe('values of mutating policies', () => {
  function made(source: string): unknown {
    const outcome = compile(source, environment).evaluate(new Map());
    return 'error' in outcome ? outcome.error : valueToJson(outcome.value);
  }

  it('become JSON', () => {
    const source =
      "Object{metadata: Object.metadata{labels: {'a': 'b'}}, spec: Object.spec{?none: optional.none(), replicas: 3}}";
    expect(made(source)).toEqual({ metadata: { labels: { a: 'b' } }, spec: { replicas: 3 } });
  });

  it('belong where their type says', () => {
    expect(() => made('Object{spec: Object.other{}}')).toThrow(
      'unexpected type name "Object.other", expected "Object.spec", which matches field name path from root Object type',
    );
  });
});

describe('access checks', () => {
  const asked: AccessCheck[] = [];
  const decide = (check: AccessCheck): Promise<{ allowed: boolean; reason: string }> => {
    asked.push(check);
    return Promise.resolve({ allowed: check.verb === 'get', reason: 'because' });
  };
  const pods = { group: '', resource: 'pods', subresource: '', namespace: 'n', name: 'p' };
  const bindings = new Map([
    ['authorizer', authorizerValue(decide)],
    ['authorizer.requestResource', requestResourceValue(decide, pods)],
  ]);

  it('are awaited and asked once', async () => {
    const source =
      "authorizer.group('apps').resource('deployments').namespace('n').check('get').allowed() && !authorizer.requestResource.check('delete').allowed()";
    expect(await evaluateWithChecks(compile(source, environment), bindings)).toMatchObject({ value: true });
    expect(asked).toEqual([
      {
        verb: 'get',
        resource: { group: 'apps', resource: 'deployments', subresource: '', namespace: 'n', name: '' },
      },
      { verb: 'delete', resource: pods },
    ]);
  });

  it('may be about a service account', async () => {
    const source = "authorizer.serviceAccount('n', 'a').path('/healthz').check('get').reason()";
    expect(await evaluateWithChecks(compile(source, environment), bindings)).toMatchObject({
      value: 'because',
    });
    expect(asked.at(-1)).toEqual({
      verb: 'get',
      path: '/healthz',
      serviceAccount: { namespace: 'n', name: 'a' },
    });
  });

  it('are limited by their cost', async () => {
    const source = "['a', 'b', 'c'].all(v, authorizer.path('/' + v).check('get').allowed())";
    expect(await evaluateWithChecks(compile(source, environment), bindings)).toMatchObject({
      exceeded: true,
    });
  });
});
