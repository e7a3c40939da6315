import java.io.Externalizable;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInput;
import java.io.ObjectInputStream;
import java.io.ObjectOutput;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Writes values of many kinds to one stream; reads streams of them, and compares with what they were. */
public final class JavaParts {
  enum Colour { RED, GREEN { @Override public String toString() { return "green"; } } }

  record Point(int x, double y, String name) implements Serializable {}

  static class Person implements Serializable {
    private static final long serialVersionUID = 7;
    String name;
    int age;
    Person friend;
    List<Object> notes = new ArrayList<>();
    transient int forgotten = 5;

    Person(String name, int age) {
      this.name = name;
      this.age = age;
    }

    String describe() {
      return getClass().getName() + name + age + notes + (friend == null ? "" : friend.name);
    }
  }

  /** Writes primitives and objects in turn, before and behind its fields, more than a block holds. */
  static final class Mixed extends Person {
    private static final long serialVersionUID = 8;
    long[] numbers = {1, -2, Long.MAX_VALUE};
    transient byte[] hidden;
    transient Object inner;

    Mixed(int size, Object inner) {
      super("mixed", size);
      hidden = new byte[size];
      Arrays.fill(hidden, (byte) 9);
      this.inner = inner;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
      out.writeInt(hidden.length);
      out.writeUTF("before\0é\uD83D\uDE00");
      out.defaultWriteObject();
      out.write(hidden);
      out.writeObject(inner);
      out.writeLong(42);
      out.writeObject(inner);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      hidden = new byte[in.readInt()];
      check(in.readUTF().equals("before\0é\uD83D\uDE00"), "text by hand");
      in.defaultReadObject();
      in.readFully(hidden);
      inner = in.readObject();
      check(in.readLong() == 42, "number by hand");
      check(in.readObject() == inner, "one object, written twice");
    }

    @Override
    String describe() {
      return super.describe() + Arrays.toString(numbers) + Arrays.toString(hidden)
          + (inner instanceof Person person ? person.describe() : inner);
    }
  }

  public static final class Outside implements Externalizable {
    private static final long serialVersionUID = 9;
    Object value;
    int number;

    public Outside() {}

    Outside(Object value, int number) {
      this.value = value;
      this.number = number;
    }

    @Override
    public void writeExternal(ObjectOutput out) throws IOException {
      out.writeInt(number);
      out.writeObject(value);
      out.writeUTF("behind");
    }

    @Override
    public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
      number = in.readInt();
      value = in.readObject();
      check(in.readUTF().equals("behind"), "text of an Externalizable");
    }
  }

  /** Is replaced in the stream, and comes back by readResolve. */
  static final class Single implements Serializable {
    private static final long serialVersionUID = 10;
    static final Single ONLY = new Single();

    private Object readResolve() throws InvalidObjectException {
      return ONLY;
    }
  }

  static final class Handler implements InvocationHandler, Serializable {
    private static final long serialVersionUID = 11;
    final String answer;

    Handler(String answer) {
      this.answer = answer;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
      return method.getName().equals("toString") ? answer : null;
    }
  }

  static void check(boolean good, String what) {
    if (!good) throw new IllegalStateException(what + " is not what it was");
  }

  static List<Object> values() {
    Person alice = new Person("Alice", 30);
    Person bob = new Person("Bob", 40);
    alice.friend = bob;
    bob.friend = alice; // a ring
    bob.notes.add("note");
    bob.notes.add(alice.name);
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("friend", bob);
    map.put("numbers", List.of(1, 2L, 3.5f, 4.5, 'c', (short) 6, (byte) 7, true));
    map.put("nothing", null);
    EnumMap<Colour, String> colours = new EnumMap<>(Colour.class);
    colours.put(Colour.GREEN, "grass");
    Object proxy = Proxy.newProxyInstance(JavaParts.class.getClassLoader(),
        new Class<?>[] {Runnable.class, Comparable.class}, new Handler("proxy"));
    List<Object> values = new ArrayList<>(Arrays.asList(alice, bob, map, colours, proxy, Colour.RED,
        Colour.GREEN, new Point(1, 2.5, "p"), new Mixed(10, bob.notes), new Mixed(5000, alice),
        new Outside(bob, 3), Single.ONLY, String.class, int[].class, Colour.class, Person.class,
        new int[][] {{1}, {}, {2, 3}}, new String[] {"a", null, "a"}, new char[] {'x', 'é'},
        new Object[] {bob, new Object[] {alice}}, "z".repeat(70000), "", "\0\uD83D\uDE00 é",
        new BigDecimal("12345678901234567890.5"), UUID.fromString(
            "00112233-4455-6677-8899-aabbccddeeff"), new Date(1700000000123L), Locale.GERMANY,
        new TreeMap<>(Map.of("b", 1, "a", 2)), Collections.unmodifiableList(List.of("u")),
        Collections.emptyMap(), new ConcurrentHashMap<>(Map.of("k", "v")), 1, 1L, null,
        new IllegalStateException("why")));
    Object deep = "end";
    for (int i = 0; i < 300; ++i) deep = new Object[] {deep, i};
    values.add(deep);
    return values;
  }

  static boolean equal(Object a, Object b) {
    if (a == null || b == null) return a == b;
    if (a.getClass() != b.getClass()) return false;
    if (a instanceof Person p) return p.describe().equals(((Person) b).describe());
    if (a instanceof Outside o) {
      return o.number == ((Outside) b).number && equal(o.value, ((Outside) b).value);
    }
    if (a instanceof Throwable t) {
      return t.getMessage().equals(((Throwable) b).getMessage())
          && Arrays.equals(t.getStackTrace(), ((Throwable) b).getStackTrace());
    }
    if (a instanceof Object[] all) {
      Object[] others = (Object[]) b;
      boolean good = all.length == others.length;
      for (int i = 0; good && i < all.length; ++i) good = equal(all[i], others[i]);
      return good;
    }
    if (a instanceof Map<?, ?> map) {
      Map<?, ?> other = (Map<?, ?>) b;
      boolean good = map.keySet().equals(other.keySet());
      for (Object key : map.keySet()) good = good && equal(map.get(key), other.get(key));
      return good;
    }
    if (Proxy.isProxyClass(a.getClass())) return a.toString().equals(b.toString());
    return Objects.deepEquals(a, b);
  }

  static void write(Path file) throws IOException {
    try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
      for (Object value : values()) out.writeObject(value);
    }
  }

  static void compare(Object read, Object written, String where) {
    // The trace of an exception is that of this very program run.
    boolean good = written instanceof Throwable w
        ? ((Throwable) read).getMessage().equals(w.getMessage()) : equal(read, written);
    if (!good) throw new IllegalStateException(where + ": " + read + " is not " + written);
  }

  static void read(Path folder) throws IOException, ClassNotFoundException {
    List<Object> values = values();
    for (int i = 0; i < values.size(); ++i) {
      try (ObjectInputStream in = new ObjectInputStream(
          Files.newInputStream(folder.resolve(Integer.toString(i))))) {
        compare(in.readObject(), values.get(i), "value " + i + " alone");
        check(in.read() == -1, "the end of value " + i);
      }
    }
    try (ObjectInputStream in =
        new ObjectInputStream(Files.newInputStream(folder.resolve("joined")))) {
      for (int i = values.size() - 1; i >= 0; --i) {
        compare(in.readObject(), values.get(i), "value " + i + " of all together");
      }
      check(in.read() == -1, "the end of all together");
    }
    System.out.println(values.size() + " values equal, alone and together");
  }

  public static void main(String[] arguments) throws Exception {
    Path path = Path.of(arguments[1]);
    if (arguments[0].equals("write")) {
      write(path);
    } else {
      read(path);
    }
  }

  private JavaParts() {}
}
