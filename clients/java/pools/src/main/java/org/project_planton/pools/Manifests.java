package org.project_planton.pools;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import org.project_planton.shared.cloudresourcekind.CloudResourceKind;
import org.project_planton.shared.cloudresourcekind.CloudResourceKindProto;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** Texts as messages: YAML becomes JSON, and JSON is read by Protobuf's own rules, in which a field that is not known is an error. */
public final class Manifests {
  private static final Gson GSON = new GsonBuilder().serializeNulls().serializeSpecialFloatingPointValues().create();
  private static final JsonFormat.Printer PRINTER = JsonFormat.printer().omittingInsignificantWhitespace();

  private Manifests() {}

  /**
   * Reads a manifest; its {@code kind} says what message it is.
   *
   * @param yaml the text, one document
   * @return the message
   */
  public static Message read(String yaml) {
    if (parse(yaml) instanceof Map<?, ?> document && document.get("kind") instanceof String kind) {
      return fromYaml(yaml, builder(className(kind)));
    }
    throw new PoolsException("no manifest: write its `kind` at the top, for example `kind: CivoVpc`");
  }

  /**
   * Reads a YAML text into a message.
   *
   * @param yaml the text, one document
   * @param builder an empty message of its type
   * @return the message
   */
  public static Message fromYaml(String yaml, Message.Builder builder) {
    return fromJson(GSON.toJson(parse(yaml)), builder);
  }

  /**
   * Reads a JSON text into a message.
   *
   * @param json the text
   * @param builder an empty message of its type
   * @return the message
   */
  public static Message fromJson(String json, Message.Builder builder) {
    try {
      JsonFormat.parser().merge(json, builder);
      return builder.build();
    } catch (InvalidProtocolBufferException error) {
      throw new PoolsException("does not fit " + builder.getDescriptorForType().getName() + ": " + line(error), error);
    }
  }

  /**
   * Returns a message as JSON, on one line.
   *
   * @param message any message
   * @return the text
   */
  public static String json(Message message) {
    try {
      return PRINTER.print(message);
    } catch (InvalidProtocolBufferException error) {
      throw new PoolsException("cannot be written as JSON: " + line(error), error);
    }
  }

  /**
   * Returns the stack input of a manifest: what its module is given.
   *
   * @param target the manifest
   * @param environment has the account's token and region
   * @return a message of the kind's StackInput
   */
  public static Message stackInput(Message target, Map<String, String> environment) {
    String provider = provider(target.getDescriptorForType().getName());
    Message.Builder input = builder(target.getClass().getName() + "StackInput");
    FieldDescriptor configField = input.getDescriptorForType().findFieldByName("provider_config");
    Message.Builder config = input.newBuilderForField(configField);
    FieldDescriptor regionField = config.getDescriptorForType().findFieldByName("default_region");
    config.setField(
        config.getDescriptorForType().findFieldByName("api_token"), token(environment, provider.toUpperCase(Locale.ROOT) + "_TOKEN"));
    config.setField(regionField, region(environment.getOrDefault("REGION", ""), regionField.getEnumType()));
    input.setField(input.getDescriptorForType().findFieldByName("target"), target);
    return input.setField(configField, config.build()).build();
  }

  /**
   * Returns an empty message.
   *
   * @param name the full name of its type; classes are named as in the schema
   * @return its builder
   */
  public static Message.Builder builder(String name) {
    try {
      return ((Message) Class.forName(name).getMethod("getDefaultInstance").invoke(null)).newBuilderForType();
    } catch (ReflectiveOperationException error) {
      throw new PoolsException("no messages of the type " + name + " are in this schema", error);
    }
  }

  /** The schema has one package for each kind, under the name of its provider. */
  private static String className(String kind) {
    return "org.project_planton.provider.%s.%s.v1.%s".formatted(provider(kind), kind.toLowerCase(Locale.ROOT), kind);
  }

  private static String provider(String kind) {
    EnumValueDescriptor known = CloudResourceKind.getDescriptor().findValueByName(kind);
    if (known == null) {
      throw new PoolsException("unknown kind %s; `planton explain` lists those that there are".formatted(kind));
    }
    return known.getOptions().getExtension(CloudResourceKindProto.kindMeta).getProvider().name().replace("_", "");
  }

  private static Object parse(String yaml) {
    try {
      // YAML 1.2 as people write it: `no` is a text, `True` is a boolean.
      Load load = new Load(LoadSettings.builder().setSchema(new CoreSchema()).build());
      Iterator<Object> documents = load.loadAllFromString(yaml).iterator();
      Object first = documents.hasNext() ? documents.next() : null;
      if (documents.hasNext()) {
        throw new PoolsException("there is more than one document: put each into a file of its own");
      }
      return first;
    } catch (MarkedYamlEngineException error) {
      String place = error.getProblemMark().map(mark -> "line %d, column %d: ".formatted(mark.getLine() + 1, mark.getColumn() + 1)).orElse("");
      throw new PoolsException("no YAML: " + place + error.getProblem(), error);
    } catch (YamlEngineException error) {
      throw new PoolsException("no YAML: " + line(error), error);
    }
  }

  private static String token(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "");
    if (value.isEmpty()) {
      throw new PoolsException("$%s is not set: put the token of your account there".formatted(name));
    }
    return value;
  }

  private static EnumValueDescriptor region(String name, EnumDescriptor regions) {
    EnumValueDescriptor found = regions.findValueByName(name);
    if (found == null || found.getNumber() == 0) {
      String example = regions.getValues().get(1).getName();
      throw new PoolsException("$REGION does not name a region: set it to one such as " + example);
    }
    return found;
  }

  private static String line(Exception error) {
    return String.valueOf(error.getMessage()).strip().replaceAll("\\s*\n\\s*", " ");
  }
}
