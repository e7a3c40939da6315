package shop;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A class that only the application has: nested, with an enum, a cycle, and a field that is computed. */
public class Basket implements Serializable {
  private static final long serialVersionUID = 7L;

  public enum Wish { GIFT, EXPRESS }

  public static class Line implements Serializable {
    private static final long serialVersionUID = 1L;
    private final Basket basket;
    private final String article;
    private final int count;
    private final BigDecimal price;

    Line(Basket basket, String article, int count, BigDecimal price) {
      this.basket = basket;
      this.article = article;
      this.count = count;
      this.price = price;
    }
  }

  private final String owner;
  private final List<Line> lines = new ArrayList<>();
  private final Map<Wish, Boolean> wishes = new EnumMap<>(Wish.class);
  private final byte[] picture = new byte[100];
  private transient BigDecimal total;

  public Basket(int number) {
    owner = "visitor " + number;
    for (int i = 0; i < 3; ++i) {
      lines.add(new Line(this, "article-" + number + "-" + i, i + 1, new BigDecimal("9.95").add(new BigDecimal(number))));
    }
    wishes.put(Wish.GIFT, number % 2 == 0);
    for (int i = 0; i < picture.length; ++i) picture[i] = (byte) (i * number);
  }

  @Override
  public String toString() {
    total = BigDecimal.ZERO;
    StringBuilder text = new StringBuilder(owner);
    for (Line line : lines) {
      text.append(", ").append(line.count).append(" x ").append(line.article);
      if (line.basket != this) text.append(" (of another basket)");
      total = total.add(line.price.multiply(BigDecimal.valueOf(line.count)));
    }
    return text + ", " + total + ", " + wishes + ", " + java.util.Arrays.hashCode(picture);
  }
}
