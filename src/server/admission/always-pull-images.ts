import type { Container, Pod } from '../../api/core/v1.gen.ts';
import { notSupported, type FieldError } from '../../machinery/field-error.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { aggregate } from '../../machinery/status/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';
import { newRefusal } from './refuse.ts';

function concerns({ group, resource, subresource, operation, object }: AdmissionRequest): boolean {
  const pod = group === '' && resource === 'pods' && object !== undefined;
  return pod && (subresource === '' || subresource === 'ephemeralcontainers') && operation !== 'DELETE';
}

type Images = readonly { readonly image?: string }[] | undefined;

/** An update that brings no new image needs no pull. */
function bringsImages({ spec }: Pod, old: Pod | undefined): boolean {
  if (!old) return true;
  const images = (containers: Images): string[] => (containers ?? []).map(({ image = '' }) => image);
  const all = ({ containers, initContainers, ephemeralContainers }: Pod['spec']): string[] => [
    ...images(containers),
    ...images(initContainers),
    ...images(ephemeralContainers),
  ];
  const known = new Set(all(old.spec));
  return all(spec).some((image) => !known.has(image));
}

/** Every container pulls its image, so that only who may pull an image can run it (upstream's AlwaysPullImages; optional). */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  admit(request) {
    if (!concerns(request)) return;
    const pod = request.object as DeepMutable<Pod>;
    if (!bringsImages(pod, request.oldObject as Pod | undefined)) return;
    const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
    for (const container of [...containers, ...initContainers, ...ephemeralContainers])
      container.imagePullPolicy = 'Always';
    for (const { image } of pod.spec.volumes ?? []) if (image) image.pullPolicy = 'Always';
  },
  validate(request) {
    if (!concerns(request)) return;
    const pod = request.object as KubeObject as Pod;
    if (!bringsImages(pod, request.oldObject as Pod | undefined)) return;
    const errors: FieldError[] = [];
    const check = (list: string, containers: readonly Pick<Container, 'imagePullPolicy'>[]): void => {
      for (const [index, { imagePullPolicy = '' }] of containers.entries()) {
        if (imagePullPolicy === 'Always') continue;
        const field = `spec.${list}[${index}].imagePullPolicy`;
        errors.push(notSupported(field, imagePullPolicy, ['Always']));
      }
    };
    check('initContainers', pod.spec.initContainers ?? []);
    check('containers', pod.spec.containers);
    check('ephemeralContainers', pod.spec.ephemeralContainers ?? []);
    if (errors.length === 0) return;
    throw newRefusal(request, aggregate(errors.map(({ field, message }) => `${field}: ${message}`)));
  },
};
