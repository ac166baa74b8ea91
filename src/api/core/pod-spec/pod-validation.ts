/** What the validation of a pod spec must know about where the spec stands. */
export interface PodValidation {
  /** `pod` for a pod of its own, `template` inside a workload. */
  readonly of: 'pod' | 'template';
  /** The pod's name, when it is known: claims of ephemeral volumes are named after it. */
  readonly podName?: string;
  readonly hostUsers: boolean;
  /** `os.name`. */
  readonly os?: string;
  readonly restartPolicy: string;
  /** `terminationGracePeriodSeconds`. */
  readonly gracePeriod: number | undefined;
  /** Names in `resourceClaims`. */
  readonly claimNames: ReadonlySet<string>;
}
