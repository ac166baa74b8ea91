/** Kubernetes's feature gates that can be switched: off by default in 1.36, and honoured here when on. */
export const featureGates = ['ContainerStopSignals'] as const;

/** A feature gate that is known here. */
export type FeatureGate = (typeof featureGates)[number];

/** How far the features are in 1.36. */
export const featureStages: Readonly<Record<FeatureGate, 'ALPHA' | 'BETA'>> = {
  ContainerStopSignals: 'ALPHA',
};
