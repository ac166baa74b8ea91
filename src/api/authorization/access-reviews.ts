import { type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { validateLabelRequirement } from '../../machinery/selectors/label-selector.ts';
import { newBadRequest, newInvalid } from '../../machinery/status/errors.ts';
import { type AnyResource, defineResource, type ResourceDefinition, type UserInfo } from '../resource.ts';
import type { AccessRequest, AuthorizationOptions, Decision } from './authorizer.ts';
import {
  type LocalSubjectAccessReview,
  localsubjectaccessreviews,
  type NonResourceAttributes,
  type ResourceAttributes,
  type SelfSubjectAccessReview,
  type SelfSubjectAccessReviewSpec,
  selfsubjectaccessreviews,
  type SelfSubjectRulesReview,
  selfsubjectrulesreviews,
  type SubjectAccessReview,
  type SubjectAccessReviewSpec,
  subjectaccessreviews,
} from './v1.gen.ts';

const SCHEMA = 'io.k8s.api.authorization.v1';

/** The questions "may this user do that?" and "what may I do?". Nothing of them is stored. */
export function accessReviews(options: AuthorizationOptions): AnyResource[] {
  return [
    subjectAccessReviews(options),
    selfSubjectAccessReviews(options),
    localSubjectAccessReviews(options),
    selfSubjectRulesReviews(options),
  ];
}

function subjectAccessReviews({ authorize }: AuthorizationOptions): ResourceDefinition<SubjectAccessReview> {
  return review(subjectaccessreviews, async (object) => {
    const spec = frozenSpec<SubjectAccessReviewSpec>(object);
    check([...validateAttributes(spec), ...validateSubject(spec)]);
    return answered(object, spec, await authorize(accessRequest(spec, subjectOf(spec))));
  });
}

function selfSubjectAccessReviews({
  authorize,
}: AuthorizationOptions): ResourceDefinition<SelfSubjectAccessReview> {
  return review(selfsubjectaccessreviews, async (object, user) => {
    const spec = frozenSpec<SelfSubjectAccessReviewSpec>(object);
    check(validateAttributes(spec));
    return answered(object, spec, await authorize(accessRequest(spec, user)));
  });
}

function localSubjectAccessReviews({
  authorize,
}: AuthorizationOptions): ResourceDefinition<LocalSubjectAccessReview> {
  return review(localsubjectaccessreviews, async (object) => {
    const spec = frozenSpec<SubjectAccessReviewSpec>(object);
    const namespace = object.metadata.namespace ?? '';
    const errors = [...validateAttributes(spec), ...validateSubject(spec)];
    const asked = spec.resourceAttributes?.namespace ?? '';
    if (spec.resourceAttributes && asked !== namespace) {
      errors.push(invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
    }
    if (spec.nonResourceAttributes) {
      const detail = 'disallowed on this kind of request';
      errors.push(invalid('spec.nonResourceAttributes', printedPath(spec.nonResourceAttributes), detail));
    }
    check(errors);
    return answered(object, spec, await authorize(accessRequest(spec, subjectOf(spec))));
  });
}

function selfSubjectRulesReviews({
  rulesFor,
}: AuthorizationOptions): ResourceDefinition<SelfSubjectRulesReview> {
  return review(selfsubjectrulesreviews, async (object, user) => {
    const { namespace = '' } = frozenSpec<{ readonly namespace?: string }>(object);
    if (namespace === '') throw newBadRequest('no namespace on request');
    return { ...object, spec: {}, status: await rulesFor(user, namespace) };
  });
}

function review<T extends KubeObject>(
  type: ResourceType<T>,
  answer: (object: KubeObject, user: UserInfo) => Promise<KubeObject>,
): ResourceDefinition<T> {
  return defineResource<T>({
    storage: 'v1',
    versions: { v1: { type, schema: `${SCHEMA}.${type.kind}` } },
    review: (object: KubeObject, { user }) => answer(object, user),
  });
}

function frozenSpec<S extends object>(object: KubeObject): Partial<S> {
  return 'spec' in object ? (object.spec as Partial<S>) : {};
}

function answered(
  object: KubeObject,
  spec: Partial<SelfSubjectAccessReviewSpec>,
  decision: Decision,
): KubeObject {
  const error = evaluationError(spec);
  const status = error === undefined ? decision : { ...decision, evaluationError: error };
  return Object.assign({ ...object }, { status });
}

function check(errors: readonly FieldError[]): void {
  // Upstream names no kind in this message.
  if (errors.length > 0) throw newInvalid({ group: 'authorization.k8s.io', kind: '' }, '', errors);
}

function validateSubject({ user = '', groups = [] }: Partial<SubjectAccessReviewSpec>): FieldError[] {
  return user === '' && groups.length === 0
    ? [invalid('spec.user', user, 'at least one of user or group must be specified')]
    : [];
}

function validateAttributes({
  resourceAttributes,
  nonResourceAttributes,
}: Partial<SelfSubjectAccessReviewSpec>): FieldError[] {
  const errors: FieldError[] = [];
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalid('spec.nonResourceAttributes', printedPath(nonResourceAttributes), detail));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalid('spec.resourceAttributes', null, detail));
  }
  if (resourceAttributes) errors.push(...validateSelectors(resourceAttributes));
  return errors;
}

function printedPath({ path = '', verb = '' }: NonResourceAttributes): unknown {
  return { Path: path, Verb: verb };
}

function validateSelectors(attributes: ResourceAttributes): FieldError[] {
  return (['fieldSelector', 'labelSelector'] as const).flatMap((kind) => {
    const selector = attributes[kind];
    if (!selector) return [];
    const path = `spec.resourceAttributes.${kind}`;
    const { rawSelector = '', requirements = [] } = selector;
    const errors: FieldError[] = [];
    if (rawSelector !== '' && requirements.length > 0) {
      errors.push(
        invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'),
      );
    }
    if (rawSelector === '' && requirements.length === 0) {
      const detail = `when ${path} is specified, requirements or rawSelector is required`;
      errors.push(required(`${path}.requirements`, detail));
    }
    const validate = kind === 'labelSelector' ? validateLabelRequirement : validateFieldRequirement;
    return [
      ...errors,
      ...requirements.flatMap((requirement, index) =>
        validate(requirement, `${path}.requirements[${index}]`),
      ),
    ];
  });
}

function validateFieldRequirement(
  {
    key,
    operator,
    values = [],
  }: { readonly key: string; readonly operator: string; readonly values?: readonly string[] },
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (key === '') errors.push(required(`${path}.key`, 'must be specified'));
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(
        forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      );
    }
  }
  return errors;
}

/** Of a field selector's requirements only those on one value can be understood. */
function evaluationError({ resourceAttributes }: Partial<SelfSubjectAccessReviewSpec>): string | undefined {
  const requirements = resourceAttributes?.fieldSelector?.requirements ?? [];
  const understood = requirements.filter(
    ({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') && values.length === 1,
  );
  if (understood.length === requirements.length) return undefined;
  const how = understood.length === 0 ? 'ignored' : 'partially ignored';
  return `spec.resourceAttributes.fieldSelector ${how} due to parse error`;
}

function subjectOf({ user = '', uid = '', groups = [], extra }: Partial<SubjectAccessReviewSpec>): UserInfo {
  return {
    name: user,
    groups,
    ...(uid === '' ? {} : { uid }),
    ...(extra ? { extra: extra as object as Readonly<Record<string, readonly string[]>> } : {}),
  };
}

function accessRequest(spec: Partial<SelfSubjectAccessReviewSpec>, user: UserInfo): AccessRequest {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (!resourceAttributes) {
    const { path = '', verb = '' } = nonResourceAttributes ?? {};
    return { user, verb, path };
  }
  const { verb = '', group = '', version = '*', resource = '', subresource = '' } = resourceAttributes;
  const { namespace = '', name = '', fieldSelector, labelSelector } = resourceAttributes;
  return {
    user,
    verb,
    resource: {
      group,
      version,
      resource,
      subresource,
      namespace,
      name,
      ...(fieldSelector ? { fieldSelector } : {}),
      ...(labelSelector ? { labelSelector } : {}),
    },
  };
}
