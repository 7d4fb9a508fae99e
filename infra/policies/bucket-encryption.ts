import { ofType } from "./graph.ts";
import type { StackPolicy } from "./policy.ts";
import { fieldsOf, isSet, listOf } from "./values.ts";

const bucketTypes = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];
const configuration =
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";

export const bucketEncryption: StackPolicy = {
  name: "bucket-encryption",
  description: "Every bucket says how it is encrypted.",
  judgeStack: (resources) => {
    const encrypted = ofType(resources, configuration)
      .filter(({ inputs }) =>
        listOf(inputs.rules)
          .map((rule) => fieldsOf(rule).applyServerSideEncryptionByDefault)
          .some((how) => isSet(fieldsOf(how).sseAlgorithm)),
      )
      .flatMap(
        ({ propertyDependencies }) => propertyDependencies?.bucket ?? [],
      );
    return ofType(resources, ...bucketTypes)
      .filter(({ urn }) => !encrypted.includes(urn))
      .map(({ urn }) => ({
        urn,
        text: "Nothing says how it is encrypted; add a BucketServerSideEncryptionConfiguration.",
      }));
  },
};
