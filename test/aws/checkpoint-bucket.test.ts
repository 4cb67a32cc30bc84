import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CheckpointBucket } from '../../shared/aws/checkpoint-bucket.ts';
import { checkpointStoreSuite } from '../conformance/checkpoint-store.ts';
import { clientFor, ministack } from './emulators.ts';

const client = new S3Client({ ...clientFor(ministack), forcePathStyle: true });
let buckets = 0;

checkpointStoreSuite(async () => {
  buckets += 1;
  const Bucket = `fm-checkpoints-${process.pid}-${buckets}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return new CheckpointBucket(Bucket, client);
});
