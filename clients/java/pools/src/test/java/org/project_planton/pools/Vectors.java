package org.project_planton.pools;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** Reads each vector in each form and writes what Java makes of it: {@code Vectors IN_DIR OUT_DIR}. */
public final class Vectors {
  private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  private Vectors() {}

  /**
   * Writes a file of answers for each file of vectors.
   *
   * @param arguments the folder of the vectors, the folder of the answers
   * @throws IOException a file cannot be read or written
   */
  public static void main(String[] arguments) throws IOException {
    Path out = Files.createDirectories(Path.of(arguments[1]));
    for (String name : List.of("manifests.json", "stack_inputs.json", "api_bodies.json")) {
      JsonArray answers = new JsonArray();
      for (JsonElement vector : JsonParser.parseString(Files.readString(Path.of(arguments[0], name))).getAsJsonArray()) {
        answers.add(answer(vector.getAsJsonObject()));
      }
      Files.writeString(out.resolve(name), GSON.toJson(answers));
    }
  }

  private static JsonObject answer(JsonObject vector) {
    JsonObject answer = new JsonObject();
    answer.add("name", vector.get("name"));
    try {
      add(answer, vector);
    } catch (Exception error) { // Whatever it is, the other vectors are still to be read.
      answer.addProperty("error", error.toString());
    }
    return answer;
  }

  private static void add(JsonObject answer, JsonObject vector) throws IOException {
    Message.Builder type = Manifests.builder(vector.get("message").getAsString());
    Message first = null;
    if (vector.has("yaml")) {
      try {
        first = Manifests.fromYaml(vector.get("yaml").getAsString(), type.clone());
      } catch (PoolsException error) {
        answer.addProperty("unreadable", true);
        return;
      }
      if (!vector.has("json")) { // Java reads what others do not: say what it makes of it.
        answer.add("json", JsonParser.parseString(Manifests.json(first)));
        return;
      }
    }
    Message second = Manifests.fromJson(vector.get("json").toString(), type.clone());
    Message third = type.clone().mergeFrom(Base64.getDecoder().decode(vector.get("binary").getAsString())).build();
    first = first == null ? second : first;
    answer.add("json", JsonParser.parseString(Manifests.json(first)));
    answer.addProperty("binary", Base64.getEncoder().encodeToString(bytes(third)));
    answer.add("violations", violations(first));
    answer.addProperty("same", first.equals(second) && second.equals(third));
  }

  private static JsonArray violations(Message message) {
    JsonArray found = new JsonArray();
    for (Rules.Violation one : Rules.violations(message)) {
      JsonObject violation = new JsonObject();
      violation.addProperty("field", one.field());
      violation.addProperty("rule", one.rule());
      found.add(violation);
    }
    return found;
  }

  private static byte[] bytes(Message message) throws IOException {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream stream = CodedOutputStream.newInstance(bytes);
    stream.useDeterministicSerialization();
    message.writeTo(stream);
    return bytes;
  }
}
