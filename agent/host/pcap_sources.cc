// libpcap also captures from D-Bus, Bluetooth and USB, and asks these sources first whether a
// device is theirs. Here they say no, and so stay out of a program that has libpcap inside: D-Bus
// alone would bring seven libraries. Declared as in libpcap 1.9 and 1.10 (pcap-int.h, pcap-dbus.h
// ...).
namespace {

struct Pcap;
struct Devices;

Pcap* not_ours(int* is_ours) {
  *is_ours = 0;
  return nullptr;
}

}  // namespace

extern "C" {

Pcap* dbus_create(const char* /*device*/, char* /*error*/, int* is_ours) {
  return not_ours(is_ours);
}
int dbus_findalldevs(Devices* /*found*/, char* /*error*/) { return 0; }
Pcap* bt_create(const char* /*device*/, char* /*error*/, int* is_ours) { return not_ours(is_ours); }
int bt_findalldevs(Devices* /*found*/, char* /*error*/) { return 0; }
Pcap* bt_monitor_create(const char* /*device*/, char* /*error*/, int* is_ours) {
  return not_ours(is_ours);
}
int bt_monitor_findalldevs(Devices* /*found*/, char* /*error*/) { return 0; }
Pcap* usb_create(const char* /*device*/, char* /*error*/, int* is_ours) {
  return not_ours(is_ours);
}
int usb_findalldevs(Devices* /*found*/, char* /*error*/) { return 0; }
}
