import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Measures } from '../audit/measures.ts';

const UNITS: Readonly<Record<keyof Measures, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  Recorded: MetricUnit.Count,
  Denied: MetricUnit.Count,
  AuditDelay: MetricUnit.Milliseconds,
};

/** Writes measures as a line of CloudWatch's embedded metric format, by Powertools. */
export function publishMeasures(measures: Measures): void {
  const metrics = new Metrics();
  for (const [name, unit] of Object.entries(UNITS))
    metrics.addMetric(name, unit, measures[name as keyof Measures]);
  metrics.publishStoredMetrics();
}
