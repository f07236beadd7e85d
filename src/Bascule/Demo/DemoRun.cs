using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Daemon;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Bascule.Demo;

/// <summary>The life of <c>bascule demo</c>: three servers as processes, the director here, a little traffic, a view; and all of it gone at the end.</summary>
internal sealed class DemoRun
{
    private static readonly string[] Names = ["alpha", "beta", "gamma"];

    private readonly TimeProvider _time;
    private readonly IDemoView _view;
    private readonly DemoFolder _folder;
    private readonly IReadOnlyList<DemoServerProcess> _servers;
    private readonly Director _director;
    private readonly DemoTraffic _http;
    private readonly DemoTraffic _tcp;

    private DemoRun(int port, DemoFolder folder, IReadOnlyList<DemoServerProcess> servers, Director director, IDemoView view, TimeProvider time)
    {
        _folder = folder;
        _servers = servers;
        _director = director;
        _view = view;
        _time = time;
        _http = new(new(IPAddress.Loopback, port), connectionEach: false, perSecond: 10, time);
        _tcp = new(new(IPAddress.Loopback, port + 1), connectionEach: true, perSecond: 5, time);
    }

    /// <param name="port">Of the HTTP virtual server; the TCP one has the next.</param>
    /// <param name="seconds">How long; null until Ctrl-C.</param>
    public static async Task<int> RunAsync(int port, int? seconds)
    {
        if (DemoPorts.FindTaken(port) is { } taken)
        {
            Console.Error.WriteLine($"Port {taken} of 127.0.0.1 is in use by another program (`ss -ltnp 'sport = :{taken}'` shows which). "
                + "Choose another with --port; the demo needs that one and the next.");
            return ExitCode.Failed;
        }

        TimeProvider time = TimeProvider.System;
        using DemoFolder folder = new();
        using Signals signals = new(endNow: () => Abandon(folder));
        List<DemoServerProcess> servers = [];
        try
        {
            foreach (Task<DemoServerProcess> starting in Names.Select(name => DemoServerProcess.StartAsync(name, time)).ToArray())
                servers.Add(await starting);
            return await RunAsync(port, seconds, folder, servers, time, signals.Stopping);
        }
        catch (InvalidOperationException e) when (servers.Count < Names.Length)
        {
            Console.Error.WriteLine($"The demo cannot run: {e.Message}");
            return ExitCode.Failed;
        }
        finally
        {
            foreach (DemoServerProcess server in servers)
                server.Dispose();
        }
    }

    private static async Task<int> RunAsync(
        int port, int? seconds, DemoFolder folder, IReadOnlyList<DemoServerProcess> servers, TimeProvider time, CancellationToken stopping)
    {
        IDemoView view = !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi ? new TableView(time) : new PlainView(time);
        Configuration configuration = folder.Write(port, servers, out string text);
        using LineLog loggers = new(view.Log, time, LogLevel.Information);
        if (await Director.StartAsync(folder.File, text, configuration, time, loggers, Console.Error.WriteLine) is not { } director)
        {
            Console.Error.WriteLine("Choose other ports with --port.");
            return ExitCode.Failed;
        }

        DemoRun demo = new(port, folder, servers, director, view, time);
        await demo.ShowAsync(seconds, stopping);
        await director.StopAsync();
        return demo.Conclude(mustHaveServed: seconds is not null && !stopping.IsCancellationRequested);
    }

    /// <summary>The second Ctrl-C waits for nobody, but still leaves nothing behind: the servers end by themselves.</summary>
    private static void Abandon(DemoFolder folder)
    {
        folder.Dispose();
        if (!Console.IsOutputRedirected)
            AnsiConsole.Cursor.Show();
    }

    private async Task ShowAsync(int? seconds, CancellationToken stopping)
    {
        Console.Out.WriteLine(WhatToTry());
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task showing = _view.ShowAsync(Frame, end.Token);
        await AllUpAsync(end.Token);
        if (seconds is { } number)
            end.CancelAfter(TimeSpan.FromSeconds(number));
        Task reviving = Beat.RepeatAsync(TimeSpan.FromMilliseconds(200), _time, () => Task.WhenAll(_servers.Select(s => s.ReviveAsync())), end.Token);
        await Task.WhenAll(showing, reviving, _http.RunAsync(end.Token), _tcp.RunAsync(end.Token));
    }

    /// <summary>Waits until every first check has passed, so that no client meets a director that knows nobody yet; but at most 5 s.</summary>
    private async Task AllUpAsync(CancellationToken stopping)
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        enough.CancelAfter(TimeSpan.FromSeconds(5));
        await Beat.RepeatAsync(TimeSpan.FromMilliseconds(20), _time, () => AreAllUp() ? enough.CancelAsync() : Task.CompletedTask, enough.Token);
    }

    private bool AreAllUp() => _director.Current.VirtualServers.All(v => v.RealServers.All(r => r.TakesConnections));

    private DemoFrame Frame()
    {
        DirectorStatus status = _director.Status();
        return new(
            [.. _servers.Select(s => new DemoFrame.Row(s.Name, s.Address.ToString(), s.ProcessId, Find(status, DemoFolder.Http, s), Find(status, DemoFolder.Tcp, s)))],
            status.VirtualServers.Sum(v => v.OpenConnections),
            Failures(),
            status.Now);
    }

    private static RealServerStatus? Find(DirectorStatus status, string virtualServer, DemoServerProcess server) =>
        status.VirtualServers.Where(v => v.Name == virtualServer).SelectMany(v => v.RealServers)
            .FirstOrDefault(r => r.Address == server.Address.ToString());

    private string Failures() =>
        string.Join(", ", _http.Failed.Concat(_tcp.Failed).GroupBy(f => f.Key, f => f.Value).Select(g => $"{g.Sum()} × {g.Key}"));

    private int Conclude(bool mustHaveServed)
    {
        Console.Out.WriteLine();
        foreach (string name in Names)
            Console.Out.WriteLine($"{name} answered {_http.Served.GetValueOrDefault(name)} requests over HTTP and {_tcp.Served.GetValueOrDefault(name)} over TCP.");
        Console.Out.WriteLine(Failures() is { Length: > 0 } failures ? $"Failed: {failures}." : "Nothing failed.");
        string[] missing =
        [
            .. Names.Where(n => !_http.Served.ContainsKey(n)).Select(n => $"{n} over HTTP"),
            .. Names.Where(n => !_tcp.Served.ContainsKey(n)).Select(n => $"{n} over TCP"),
        ];
        if (!mustHaveServed || missing.Length == 0)
            return ExitCode.Ok;
        Console.Error.WriteLine($"The demo failed: no request was answered by {string.Join(", ", missing)}.");
        return ExitCode.Failed;
    }

    private string WhatToTry()
    {
        string program = File.Exists("bascule") ? "./bascule" : "bascule";
        return $"""
            Three web servers, each a process of its own, and a director before them:
              HTTP on {_http.Address}: every request goes to the next server
              TCP  on {_tcp.Address}: every connection goes to the next server
            To have something to see, the demo itself sends {_http.PerSecond} requests and opens {_tcp.PerSecond} connections each second.

            Try this in another terminal:
              curl http://{_http.Address}/
              kill {_servers[0].ProcessId}      {Names[0]} dies, the others take over; it starts again {DemoServerProcess.Rest.TotalSeconds} s later
              kill {string.Join(' ', _servers.Select(s => s.ProcessId))}      all three: clients get 503 until they are back
              {program} status -s {_folder.Socket}
              edit {_folder.File}, then {program} reload -s {_folder.Socket}

            Ctrl-C ends it.
            """;
    }
}
