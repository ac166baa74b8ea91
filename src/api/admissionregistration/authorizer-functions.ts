import { evaluationError } from '../../machinery/cel/evaluation-error.ts';
import type { FunctionLibrary } from '../../machinery/cel/function-table.ts';
import { asText } from '../../machinery/cel/value-guards.ts';
import type { CelOpaque, CelValue } from '../../machinery/cel/value.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';

/** What an expression asks about: a path, or a resource. */
export type AuthorizerQuestion =
  | { readonly path: string; readonly verb: string }
  | ({ readonly verb: string } & ResourceQuestion);

interface ResourceQuestion {
  readonly group: string;
  readonly resource: string;
  readonly version?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Answers for the user of the request, or for a service account instead. */
export interface AuthorizerSource {
  decide(
    question: AuthorizerQuestion,
    serviceAccount: { readonly namespace: string; readonly name: string } | undefined,
  ): { readonly allowed: boolean; readonly reason: string };
}

class AuthorizerPayload {
  readonly source: AuthorizerSource;
  readonly account: { readonly namespace: string; readonly name: string } | undefined;

  constructor(source: AuthorizerSource, account?: { readonly namespace: string; readonly name: string }) {
    this.source = source;
    this.account = account;
  }
}

class PathPayload {
  readonly authorizer: AuthorizerPayload;
  readonly path: string;

  constructor(authorizer: AuthorizerPayload, path: string) {
    this.authorizer = authorizer;
    this.path = path;
  }
}

class ResourcePayload {
  readonly authorizer: AuthorizerPayload;
  readonly question: ResourceQuestion;

  constructor(authorizer: AuthorizerPayload, question: ResourceQuestion) {
    this.authorizer = authorizer;
    this.question = question;
  }
}

class DecisionPayload {
  readonly allowed: boolean;
  readonly reason: string;

  constructor({ allowed, reason }: { readonly allowed: boolean; readonly reason: string }) {
    this.allowed = allowed;
    this.reason = reason;
  }
}

const prefix = 'kubernetes.authorization';

function opaque(name: string, payload: object): CelOpaque {
  return { kind: 'opaque', typeName: `${prefix}.${name}`, payload, equals: (other) => other === payload };
}

/** The value of `authorizer`. */
export function authorizerValue(source: AuthorizerSource): CelOpaque {
  return opaque('Authorizer', new AuthorizerPayload(source));
}

/** The value of `authorizer.requestResource`. */
export function requestResourceValue(source: AuthorizerSource, question: ResourceQuestion): CelOpaque {
  return opaque('ResourceCheck', new ResourcePayload(new AuthorizerPayload(source), question));
}

function payloadOf<T extends object>(
  value: CelValue | undefined,
  type: abstract new (...args: never[]) => T,
): T {
  const isOpaque =
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === 'opaque';
  if (isOpaque && value.payload instanceof type) return value.payload;
  return evaluationError('no such overload');
}

function narrowed(field: 'subresource' | 'namespace' | 'name'): (...args: readonly CelValue[]) => CelValue {
  return (check, text) => {
    const { authorizer, question } = payloadOf(check, ResourcePayload);
    return opaque('ResourceCheck', new ResourcePayload(authorizer, { ...question, [field]: asText(text) }));
  };
}

function decision({ source, account }: AuthorizerPayload, question: AuthorizerQuestion): CelValue {
  return opaque('Decision', new DecisionPayload(source.decide(question, account)));
}

/** The authorizer's functions, as `k8s.io/apiserver/pkg/cel/library` documents them. */
export function authorizerFunctions(): FunctionLibrary {
  const type = (name: string): string => `${prefix}.${name}`;
  return [
    {
      id: 'authorizer_path',
      signature: `<${type('Authorizer')}>.path(string) -> ${type('PathCheck')}`,
      run(authorizer, text) {
        const path = asText(text);
        if (path.trim() === '') return evaluationError('path must not be empty');
        return opaque('PathCheck', new PathPayload(payloadOf(authorizer, AuthorizerPayload), path));
      },
    },
    {
      id: 'authorizer_group',
      signature: `<${type('Authorizer')}>.group(string) -> ${type('GroupCheck')}`,
      run: (authorizer, group) =>
        opaque(
          'GroupCheck',
          new ResourcePayload(payloadOf(authorizer, AuthorizerPayload), {
            group: asText(group),
            resource: '',
          }),
        ),
    },
    {
      id: 'authorizer_serviceaccount',
      signature: `<${type('Authorizer')}>.serviceAccount(string, string) -> ${type('Authorizer')}`,
      run(authorizer, first, second) {
        const [namespace, name] = [asText(first), asText(second)];
        if (dns1123SubdomainErrors(name).length > 0) return evaluationError('Invalid service account name');
        if (dns1123LabelErrors(namespace).length > 0)
          return evaluationError('Invalid service account namespace');
        const { source } = payloadOf(authorizer, AuthorizerPayload);
        return opaque('Authorizer', new AuthorizerPayload(source, { namespace, name }));
      },
    },
    {
      id: 'groupcheck_resource',
      signature: `<${type('GroupCheck')}>.resource(string) -> ${type('ResourceCheck')}`,
      run(group, text) {
        const resource = asText(text);
        if (resource.trim() === '') return evaluationError('resource must not be empty');
        const { authorizer, question } = payloadOf(group, ResourcePayload);
        return opaque('ResourceCheck', new ResourcePayload(authorizer, { ...question, resource }));
      },
    },
    ...(['subresource', 'namespace', 'name'] as const).map((field) => ({
      id: `resourcecheck_${field}`,
      signature: `<${type('ResourceCheck')}>.${field}(string) -> ${type('ResourceCheck')}`,
      run: narrowed(field),
    })),
    ...(['fieldSelector', 'labelSelector'] as const).map((name) => ({
      id: `authorizer_${name.toLowerCase()}`,
      signature: `<${type('ResourceCheck')}>.${name}(string) -> ${type('ResourceCheck')}`,
      run: (check: CelValue | undefined): CelValue => check ?? null,
    })),
    {
      id: 'pathcheck_check',
      signature: `<${type('PathCheck')}>.check(string) -> ${type('Decision')}`,
      run(check, verb) {
        const { authorizer, path } = payloadOf(check, PathPayload);
        return decision(authorizer, { path, verb: asText(verb) });
      },
    },
    {
      id: 'resourcecheck_check',
      signature: `<${type('ResourceCheck')}>.check(string) -> ${type('Decision')}`,
      run(check, verb) {
        const { authorizer, question } = payloadOf(check, ResourcePayload);
        return decision(authorizer, { ...question, verb: asText(verb) });
      },
    },
    {
      id: 'decision_allowed',
      signature: `<${type('Decision')}>.allowed() -> bool`,
      run: (made) => payloadOf(made, DecisionPayload).allowed,
    },
    {
      id: 'decision_reason',
      signature: `<${type('Decision')}>.reason() -> string`,
      run: (made) => payloadOf(made, DecisionPayload).reason,
    },
    {
      id: 'decision_errored',
      signature: `<${type('Decision')}>.errored() -> bool`,
      run: () => false,
    },
    { id: 'decision_error', signature: `<${type('Decision')}>.error() -> string`, run: () => '' },
  ];
}
