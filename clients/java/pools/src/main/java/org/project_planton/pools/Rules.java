package org.project_planton.pools;

import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPath;
import build.buf.validate.FieldPathElement;
import com.google.protobuf.Message;
import java.util.Comparator;
import java.util.List;

/** The rules of the schema. */
public final class Rules {
  // The schema's own rules, extensions of protovalidate's, are known to the generated classes: no registry has to name them.
  private static final Validator VALIDATOR = ValidatorFactory.newBuilder().build();

  private Rules() {}

  /**
   * A rule that a message breaks.
   *
   * @param field the path of the field, {@code spec.taints[0].key}; empty for the whole message
   * @param rule the rule's id, which is part of the API
   * @param message what must hold
   */
  public record Violation(String field, String rule, String message) {
    /** Returns it as it is printed. */
    @Override
    public String toString() {
      return "%s%s [%s]".formatted(field.isEmpty() ? "" : field + ": ", message, rule);
    }
  }

  /**
   * Returns the rules that a message breaks, in order of field and rule; none: it is valid.
   *
   * @param message any message of the schema
   * @return what is wrong with it
   */
  public static List<Violation> violations(Message message) {
    try {
      return VALIDATOR.validate(message).toProto().getViolationsList().stream()
          .map(one -> new Violation(path(one.getField()), one.getRuleId(), one.getMessage()))
          .sorted(Comparator.comparing(Violation::field).thenComparing(Violation::rule))
          .toList();
    } catch (ValidationException error) {
      throw new PoolsException("the rules of " + message.getDescriptorForType().getFullName() + " fail: " + error.getMessage(), error);
    }
  }

  /** Writes a path as the other languages' libraries do; Java's keeps its own writer private. */
  private static String path(FieldPath path) {
    StringBuilder text = new StringBuilder();
    for (FieldPathElement element : path.getElementsList()) {
      text.append(text.isEmpty() ? "" : ".").append(element.getFieldName());
      switch (element.getSubscriptCase()) {
        case INDEX -> text.append('[').append(element.getIndex()).append(']');
        case BOOL_KEY -> text.append('[').append(element.getBoolKey()).append(']');
        case INT_KEY -> text.append('[').append(element.getIntKey()).append(']');
        case UINT_KEY -> text.append('[').append(Long.toUnsignedString(element.getUintKey())).append(']');
        case STRING_KEY ->
            text.append("[\"").append(element.getStringKey().replace("\\", "\\\\").replace("\"", "\\\"")).append("\"]");
        case SUBSCRIPT_NOT_SET -> {}
      }
    }
    return text.toString();
  }
}
