using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bascule.Core.Model;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Notify.Tests;

public sealed class NotifierTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-notify").FullName;

    [Fact]
    public async Task A_program_is_told_each_change_once_and_in_order()
    {
        string log = Path.Combine(_folder, "log");
        await using (Notifier notifier = Told(Program("one", $"echo \"$1 $2 $3 $4 $BASCULE_NUMBER $BASCULE_NODE\" >> {log}")))
        {
            for (int i = 1; i <= 100; i++)
                notifier.Tell(new(NotificationType.Instance, "web-vip", i % 2 == 0 ? "backup" : "active", "as it went", At));
        }

        Assert.Equal(
            Enumerable.Range(1, 100).Select(i => $"instance web-vip {(i % 2 == 0 ? "backup" : "active")} as it went {i} director-1"),
            await File.ReadAllLinesAsync(log));
    }

    [Fact]
    public async Task A_receiver_that_hangs_delays_nobody_else()
    {
        string log = Path.Combine(_folder, "log");
        await using Notifier notifier = Told(Program("hangs", "sleep 1000"), Program("works", $"echo $3 >> {log}"));

        notifier.Tell(Change("active"));
        notifier.Tell(Change("backup"));

        await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllLines(log) is ["active", "backup"], "the other receiver is told both");
    }

    [Fact]
    public async Task What_takes_too_long_is_ended_and_the_next_has_its_turn()
    {
        string log = Path.Combine(_folder, "log");
        await using Notifier notifier = Told(Program("slow", $"test $3 = active && sleep 1000; echo $3 >> {log}") with { Timeout = TimeSpan.FromMilliseconds(300) });

        notifier.Tell(Change("active"));
        notifier.Tell(Change("backup"));

        await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllLines(log) is ["backup"], "the next is told");
    }

    [Fact]
    public async Task Only_those_who_want_to_know_are_told()
    {
        string log = Path.Combine(_folder, "log");
        await using (Notifier notifier = Told(Program("roles", $"echo $1 >> {log}") with { On = [NotificationType.Instance] }))
        {
            notifier.Tell(new(NotificationType.RealServer, "web/10.0.0.11:80", "down", "connection refused", At));
            notifier.Tell(Change("active"));
        }

        Assert.Equal(["instance"], await File.ReadAllLinesAsync(log));
    }

    [Fact]
    public async Task A_receiver_that_a_reload_leaves_as_it_was_keeps_what_waits_for_it()
    {
        string log = Path.Combine(_folder, "log"), gate = Path.Combine(_folder, "gate");
        Receiver waits = Program("waits", $"while ! test -e {gate}; do sleep 0.01; done; echo $3 >> {log}");
        await using Notifier notifier = Told(waits);
        notifier.Tell(Change("active"));
        notifier.Tell(Change("backup"));

        notifier.Apply([waits, Program("new", "exit 0")]);
        await File.WriteAllTextAsync(gate, "");

        await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllLines(log) is ["active", "backup"], "both are told, each once");
    }

    [Fact]
    public async Task A_webhook_gets_a_JSON_object_and_again_the_same_when_it_fails()
    {
        using HttpListener server = Listen(out Uri address);
        await using Notifier notifier = Told(new Receiver { Name = "hook", Way = new WebhookWay(address), On = Everything, Timeout = Long });

        notifier.Tell(Change("active"));
        JsonElement first = await AnswerAsync(server, 500), second = await AnswerAsync(server, 204);

        Assert.Equal(first.ToString(), second.ToString());
        Assert.Equal(
            """{"number":1,"node":"director-1","type":"instance","name":"web-vip","state":"active","why":"nothing heard","at":"2026-11-21T03:04:05+00:00"}""",
            second.ToString());
    }

    [Fact]
    public async Task A_log_server_gets_a_line_of_RFC_5424()
    {
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using Notifier notifier = Told(new Receiver { Name = "log", Way = new SyslogWay((IPEndPoint)server.LocalEndPoint!), On = Everything, Timeout = Long });

        notifier.Tell(Change("active"));
        byte[] datagram = new byte[2048];
        int length = await server.ReceiveAsync(datagram).WaitAsync(Long, TimeProvider.System);

        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"<29>1 2026-11-21T03:04:05.000000Z director-1 bascule {Environment.ProcessId} instance - instance web-vip is active: nothing heard"),
            Encoding.UTF8.GetString(datagram, 0, length));
    }

    [Fact]
    public async Task A_mail_server_gets_a_letter()
    {
        using MailServer server = await MailServer.StartAsync();
        await using Notifier notifier = Told(new Receiver
        {
            Name = "mail",
            Way = new EmailWay("127.0.0.1", server.Port, "bascule@example.org", ["ops@example.org"], StartTls: false),
            On = Everything,
            Timeout = Long,
        });

        notifier.Tell(Change("active"));

        await Eventually.HoldsAsync(() => server.Letters.Contains("Subject: [director-1] instance web-vip is active", StringComparison.Ordinal)
            && server.Letters.Contains("Why:      nothing heard", StringComparison.Ordinal), "the letter arrives");
    }

    [Fact]
    public async Task When_too_many_wait_the_oldest_are_dropped_and_the_newest_are_told()
    {
        string log = Path.Combine(_folder, "log"), gate = Path.Combine(_folder, "gate");
        await using Notifier notifier = Told(Program("slow", $"while ! test -e {gate}; do sleep 0.01; done; echo $BASCULE_NUMBER >> {log}"));
        int all = Postbox.Capacity + 100;
        for (int i = 0; i < all; i++)
            notifier.Tell(Change("active"));

        await File.WriteAllTextAsync(gate, "");

        await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllLines(log).Length >= 2, "the second is told");
        Assert.InRange(int.Parse((await File.ReadAllLinesAsync(log))[1], CultureInfo.InvariantCulture), 99, 102);
    }

    [Fact]
    public async Task A_quorum_program_is_told_of_its_virtual_server_however_much_happens_to_others_while_it_works()
    {
        string log = Path.Combine(_folder, "log"), gate = Path.Combine(_folder, "gate");
        ValueList<string> program = ["/bin/sh", "-c", $"while ! test -e {gate}; do sleep 0.01; done; echo $3 >> {log}", "sh"];
        await using Notifier notifier = Told(new Receiver { Name = "quorum of web", Way = new QuorumWay("web", program, program), On = [NotificationType.VirtualServer], Timeout = Long });
        foreach (string state in (string[])["up", "down", "up"])
        {
            notifier.Tell(new(NotificationType.VirtualServer, "web", state, "quorum", At));
            for (int i = 0; i < Postbox.Capacity; i++)
                notifier.Tell(new(NotificationType.VirtualServer, "other", state, "quorum", At));
        }

        await File.WriteAllTextAsync(gate, "");

        await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllLines(log) is ["up", "down", "up"], "each is told, once");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static readonly ValueList<NotificationType> Everything = [NotificationType.Instance, NotificationType.RealServer, NotificationType.Director];

    private static Notification Change(string state) => new(NotificationType.Instance, "web-vip", state, "nothing heard", At);

    private static Receiver Program(string name, string script) =>
        new() { Name = name, Way = new CommandWay(["/bin/sh", "-c", script, "sh"]), On = Everything, Timeout = Long };

    private static Notifier Told(params Receiver[] receivers)
    {
        Notifier notifier = new("director-1", TimeProvider.System, NullLoggerFactory.Instance);
        notifier.Apply(receivers);
        return notifier;
    }

    // The listener takes no port 0: the kernel is asked for a free one first.
    private static HttpListener Listen(out Uri address)
    {
        using Socket free = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        address = new($"http://127.0.0.1:{((IPEndPoint)free.LocalEndPoint!).Port}/told/");
        free.Close();
        HttpListener listener = new();
        listener.Prefixes.Add(address.ToString());
        listener.Start();
        return listener;
    }

    private static async Task<JsonElement> AnswerAsync(HttpListener server, int status)
    {
        HttpListenerContext context = await server.GetContextAsync().WaitAsync(Long, TimeProvider.System);
        using JsonDocument body = await JsonDocument.ParseAsync(context.Request.InputStream);
        context.Response.StatusCode = status;
        context.Response.Close();
        return body.RootElement.Clone();
    }
}
