import java.io.Serializable;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.catalina.ha.session.SessionMessage;
import org.apache.catalina.tribes.Channel;
import org.apache.catalina.tribes.ChannelListener;
import org.apache.catalina.tribes.Member;
import org.apache.catalina.tribes.group.GroupChannel;
import org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor;
import org.apache.catalina.tribes.group.interceptors.TcpFailureDetector;
import org.apache.catalina.tribes.transport.ReceiverBase;

/**
 * What a Tomcat receives session messages with, and no manager behind it: a channel with the interceptors that
 * SimpleTcpCluster adds by itself, which keeps the last message of each session as it came.
 * Usage: Receiver HOST PORT
 */
public class Receiver {
    public static void main(String[] args) throws Exception {
        final var last = new ConcurrentHashMap<String, SessionMessage>();
        GroupChannel channel = new GroupChannel();
        ReceiverBase receiver = (ReceiverBase) channel.getChannelReceiver();
        receiver.setAddress(args[0]);
        receiver.setPort(Integer.parseInt(args[1]));
        channel.addInterceptor(new TcpFailureDetector());
        channel.addInterceptor(new MessageDispatchInterceptor());
        channel.addChannelListener(new ChannelListener() {
            @Override public boolean accept(Serializable message, Member sender) {
                return message instanceof SessionMessage;
            }

            @Override public void messageReceived(Serializable message, Member sender) {
                SessionMessage of = (SessionMessage) message;
                last.put(of.getSessionID(), of);
            }
        });
        channel.start(Channel.SND_RX_SEQ);
        System.out.println("ready");
        Thread.sleep(Long.MAX_VALUE);
    }
}
