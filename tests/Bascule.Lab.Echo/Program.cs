using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Bascule.Lab.Echo;

return args switch
{
    ["serve", var name, var port] => await EchoServer.RunAsync(name, Number(port)),
    ["hold", var address, var port, var count, var pause] => await Holder.RunAsync(End(address, port), Number(count), Milliseconds(pause)),
    ["visit", var address, var port, var visitors, var seconds] => await Visitors.RunAsync(End(address, port), Number(visitors), TimeSpan.FromSeconds(Number(seconds))),
    ["ask", var address, var port, var size, var count, var sockets] => await Datagrams.RunAsync(End(address, port), Number(size), Number(count), sockets == "new"),
    ["flood", var name, var mac, var address, var port, var perSecond, var seconds] =>
        Flood.Run(name, PhysicalAddress.Parse(mac), End(address, port), Number(perSecond), TimeSpan.FromSeconds(Number(seconds))),
    _ => Usage(),
};

static IPEndPoint End(string address, string port) => new(IPAddress.Parse(address), Number(port));

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static TimeSpan Milliseconds(string text) => TimeSpan.FromMilliseconds(Number(text));

static int Usage()
{
    Console.Error.WriteLine("""
        bascule-echo serve NAME PORT                    sends every byte back, over TCP and UDP, and says its name first
        bascule-echo hold ADDRESS PORT COUNT PAUSE      holds so many connections, each with a message every so many milliseconds
        bascule-echo visit ADDRESS PORT VISITORS SECONDS    so many visitors at a time, each with a new connection every time
        bascule-echo ask ADDRESS PORT SIZE COUNT same|new   so many datagrams, from one socket or each from a new one
        bascule-echo flood INTERFACE MAC ADDRESS PORT PERSECOND SECONDS    SYNs from made-up sources to the other end of the cable
        """);
    return 2;
}
