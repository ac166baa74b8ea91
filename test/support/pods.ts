/** A container of busybox that runs a shell script. */
export function shell(script: string, more: object = {}): object {
  return {
    name: 'main',
    image: 'docker.io/library/busybox:1.36',
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', script],
    ...more,
  };
}

/** A pod of the namespace `default`. */
export function pod(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  };
}
