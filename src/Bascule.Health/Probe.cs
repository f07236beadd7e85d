using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Core.ProxyHeaders;
using Bascule.Health.Loop;
using Bascule.Linux;

namespace Bascule.Health;

/// <summary>One kind of question, ready to be asked of one real server again and again.</summary>
internal abstract class Probe
{
    /// <summary>The probe for this kind of check.</summary>
    /// <param name="time">For what has to do with dates and timeouts of its own.</param>
    /// <exception cref="ArgumentException">The check's regular expression is not one.</exception>
    public static Probe For(Check check, IPEndPoint realServer, TimeProvider time)
    {
        IPEndPoint target = check.Port is { } port ? new(realServer.Address, port) : realServer;
        byte[] header = check.ProxyProtocol is { } version ? ProxyHeaderWriter.OfNobody(version) : [];
        return check switch
        {
            TcpCheck => new TcpProbe(target) { Header = header },
            HttpCheck http => new HttpProbe(http, target, time) { Header = header },
            HttpUrlsCheck urls => new HttpUrlsProbe(urls, target, header, time),
            TlsCheck tls => new TlsProbe(tls, target, time) { Header = header },
            UdpCheck udp => new UdpProbe(udp, target, time),
            PingCheck => new PingProbe(target.Address),
            ScriptCheck script => new ScriptProbe(script, target, time),
            AgentCheck agent => new AgentProbe(agent, target),
            FileCheck file => new FileProbe(file, target),
            SendExpectCheck talk => new SendExpectProbe(talk, target, time) { Header = header },
            DnsCheck { Transport: Transport.Udp } dns => new DnsProbe(dns, target),
            DnsCheck dns => new DnsStreamProbe(dns, target),
            SmtpCheck smtp => new SmtpProbe(smtp, target, time) { Header = header },
            RedisCheck redis => new SecretProbe(redis.Password, password => new RedisProbe(redis, password, target, time) { Header = header }),
            PostgresCheck postgres => new SecretProbe(postgres.Password, password => new PostgresProbe(postgres, password, target, time) { Header = header }),
            MysqlCheck mysql => new SecretProbe(mysql.Password, password => new MysqlProbe(mysql, password, target, time) { Header = header }),
            ImapCheck imap => new SecretProbe(imap.Password, password => new ImapProbe(imap, password, target, time) { Header = header }),
            Pop3Check pop3 => new SecretProbe(pop3.Password, password => new Pop3Probe(pop3, password, target, time) { Header = header }),
            FtpCheck ftp => new SecretProbe(ftp.Password, password => new FtpProbe(ftp, password, target, time) { Header = header }),
            LdapCheck ldap => new SecretProbe(ldap.Password, password => new LdapProbe(ldap, password, target, time) { Header = header }),
            RadiusCheck radius => new SecretProbe(radius.Secret, secret => new SecretProbe(radius.Password, password => new RadiusProbe(radius, secret!, password, target))),
            SipCheck { Transport: Transport.Udp } sip => new SipProbe(sip, target),
            SipCheck sip => new SipStreamProbe(sip, target, time),
            OnCheck => new SwitchProbe(isOn: true),
            OffCheck => new SwitchProbe(isOn: false),
            AllCheck all => new SeveralProbe(all.Parts, needsAll: true, realServer, time),
            AnyCheck any => new SeveralProbe(any.Parts, needsAll: false, realServer, time),
            _ => throw new ArgumentException($"no probe for {check.GetType().Name}", nameof(check)),
        };
    }

    /// <summary>Asks. What the real server does, or fails to do, is a verdict and never an exception.</summary>
    /// <param name="mark">See <see cref="Core.Health.HealthRecord.Mark"/>; sockets are given it by <see cref="Mark"/>.</param>
    /// <exception cref="OperationCanceledException">The time is up.</exception>
    public abstract Task<Verdict> AskAsync(uint mark, CancellationToken cancellation);

    /// <summary>Sends what the socket says on the way of clients' packets. Before it connects, and without effect for 0.</summary>
    protected static void Mark(Socket socket, uint mark)
    {
        if (mark == 0)
            return;
        const int Level = 1, Option = 36; // SOL_SOCKET, SO_MARK
        socket.SetRawSocketOption(Level, Option, BitConverter.GetBytes(mark));
        // Bound before it connects: two checks of one virtual address from one port could not be told apart.
        socket.Bind(new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
    }

    /// <summary>What it says about the real server that a socket failed.</summary>
    protected static Verdict VerdictOn(SocketException e) => SocketVerdict.On((Errno)e.NativeErrorCode);
}
