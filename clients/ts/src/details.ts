/** What an error of the API carries beside its message: google.rpc's messages, as far as they are shown. */
import { createFileRegistry, type DescMessage, fromJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** Where and why a request is wrong, a `BadRequest`. */
export interface Wrong {
  fieldViolations: { field: string; description: string; reason: string }[];
}

/** What is known of an error of ours, an `ErrorInfo`. */
export interface Info {
  metadata: Record<string, string>;
}

const text = (name: string, number: number) => ({ name, number, type: "TYPE_STRING", label: "LABEL_OPTIONAL" });
const list = (name: string, number: number, typeName: string) => ({ name, number, type: "TYPE_MESSAGE", label: "LABEL_REPEATED", typeName });

const violation = { name: "FieldViolation", field: [text("field", 1), text("description", 2), text("reason", 3)] };
const entry = { name: "MetadataEntry", field: [text("key", 1), text("value", 2)], options: { mapEntry: true } };
const messages = [
  { name: "BadRequest", field: [list("field_violations", 1, ".google.rpc.BadRequest.FieldViolation")], nestedType: [violation] },
  { name: "ErrorInfo", field: [text("reason", 1), list("metadata", 3, ".google.rpc.ErrorInfo.MetadataEntry")], nestedType: [entry] },
];
const registry = createFileRegistry(
  fromJson(FileDescriptorSetSchema, {
    file: [{ name: "google/rpc/error_details.proto", package: "google.rpc", syntax: "proto3", messageType: messages }],
  }),
);

export const BadRequest = registry.getMessage("google.rpc.BadRequest") as DescMessage;
export const ErrorInfo = registry.getMessage("google.rpc.ErrorInfo") as DescMessage;
