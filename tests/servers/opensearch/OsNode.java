// One real OpenSearch node in this JVM, without the distribution that it normally comes in. Compiled before it is run: a
// node started from the source file would not find the two plugins below, and would be open without a word.
//
//   java -cp "classes:lib/*" OsNode --home DIR --http-port N [--user U --password P] [--keystore ks.p12 --storepass S]

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.opensearch.Version;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.Node;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.plugins.SecureAuxTransportSettingsProvider;
import org.opensearch.plugins.SecureHttpTransportSettingsProvider;
import org.opensearch.plugins.SecureSettingsFactory;
import org.opensearch.plugins.SecureTransportSettingsProvider;
import org.opensearch.plugins.TransportExceptionHandler;
import org.opensearch.rest.BytesRestResponse;
import org.opensearch.rest.RestChannel;
import org.opensearch.rest.RestHandler;
import org.opensearch.rest.RestHeaderDefinition;
import org.opensearch.rest.RestRequest;
import org.opensearch.transport.Transport;
import org.opensearch.transport.client.node.NodeClient;

public class OsNode {
    /** The modules that OpenSearch's distribution would find in its modules folder. */
    private static final List<String> MODULES = List.of(
        "org.opensearch.transport.Netty4ModulePlugin",
        "org.opensearch.analysis.common.CommonAnalysisModulePlugin",
        "org.opensearch.index.mapper.MapperExtrasModulePlugin",
        "org.opensearch.index.reindex.ReindexModulePlugin",
        "org.opensearch.ingest.common.IngestCommonModulePlugin",
        "org.opensearch.painless.PainlessModulePlugin",
        "org.opensearch.join.ParentJoinModulePlugin",
        "org.opensearch.script.mustache.MustacheModulePlugin");

    /** Command-line options by name. Static, because the node makes the plugins itself and hands them nothing of ours. */
    private static final Map<String, String> OPTIONS = new HashMap<>();

    /** Basic authentication, one user, in front of every REST handler. */
    public static class BasicAuthPlugin extends Plugin implements ActionPlugin {
        @Override
        public UnaryOperator<RestHandler> getRestHandlerWrapper(ThreadContext context, Set<RestHeaderDefinition> headers) {
            if (!OPTIONS.containsKey("--user")) return null;
            String login = OPTIONS.get("--user") + ":" + OPTIONS.get("--password");
            byte[] wanted = ("Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
                .getBytes(StandardCharsets.UTF_8);
            return handler -> new Guarded(handler, wanted);
        }
    }

    private static class Guarded extends RestHandler.Wrapper {
        private final byte[] wanted;

        Guarded(RestHandler handler, byte[] wanted) {
            super(handler);
            this.wanted = wanted;
        }

        @Override
        public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
            String given = request.header("Authorization");
            if (given != null && MessageDigest.isEqual(wanted, given.getBytes(StandardCharsets.UTF_8))) {
                super.handleRequest(request, channel, client);
                return;
            }
            if (request.hasContent()) request.content(); // reading it marks it as consumed
            BytesRestResponse refusal = new BytesRestResponse(RestStatus.UNAUTHORIZED, "application/json",
                "{\"error\":{\"type\":\"security_exception\",\"reason\":\"missing or wrong credentials\"},\"status\":401}");
            refusal.addHeader("WWW-Authenticate", "Basic realm=\"security\" charset=\"UTF-8\"");
            channel.sendResponse(refusal);
        }
    }

    /** TLS on the HTTP port, by OpenSearch's own secure transport with our key. */
    public static class TlsPlugin extends Plugin {
        @Override
        public Optional<SecureSettingsFactory> getSecureSettingFactory(Settings settings) {
            return OPTIONS.containsKey("--keystore") ? Optional.of(new HttpOnly()) : Optional.empty();
        }
    }

    private static class HttpOnly implements SecureSettingsFactory {
        @Override
        public Optional<SecureTransportSettingsProvider> getSecureTransportSettingsProvider(Settings settings) {
            return Optional.empty();
        }

        @Override
        public Optional<SecureAuxTransportSettingsProvider> getSecureAuxTransportSettingsProvider(Settings settings) {
            return Optional.empty();
        }

        @Override
        public Optional<SecureHttpTransportSettingsProvider> getSecureHttpTransportSettingsProvider(Settings settings) {
            return Optional.of(new HttpTls());
        }
    }

    private static class HttpTls implements SecureHttpTransportSettingsProvider {
        @Override
        public Optional<TransportExceptionHandler> buildHttpServerExceptionHandler(Settings s, HttpServerTransport t) {
            return Optional.empty();
        }

        @Override
        public Optional<SSLEngine> buildSecureHttpServerEngine(Settings s, HttpServerTransport t) throws SSLException {
            char[] password = OPTIONS.get("--storepass").toCharArray();
            try (InputStream file = Files.newInputStream(Path.of(OPTIONS.get("--keystore")))) {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(file, password);
                KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                keys.init(store, password);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(keys.getKeyManagers(), null, null);
                SSLEngine engine = context.createSSLEngine();
                engine.setUseClientMode(false);
                return Optional.of(engine);
            } catch (GeneralSecurityException | java.io.IOException cause) {
                throw new SSLException(cause);
            }
        }
    }

    /** Node's constructor that takes plugins from the class path is for subclasses. */
    private static class EmbeddedNode extends Node {
        EmbeddedNode(Environment environment, Collection<PluginInfo> plugins) {
            super(environment, plugins, true);
        }
    }

    private static PluginInfo onClassPath(String name) {
        return new PluginInfo(name, "on the class path", "NA", Version.CURRENT, "21", name, null, List.of(), false);
    }

    private static Settings settings(Path home) {
        return Settings.builder()
            .put("path.home", home)
            .put("path.data", home.resolve("data"))
            .put("path.logs", home.resolve("logs"))
            .put("cluster.name", "test")
            .put("node.name", "n1")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", OPTIONS.get("--http-port"))
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", OPTIONS.containsKey("--keystore") ? "netty4-secure" : "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("action.auto_create_index", true)
            .put("bootstrap.memory_lock", false)
            .build();
    }

    private static void close(Node node) {
        try {
            node.close();
            node.awaitClose(15, TimeUnit.SECONDS);
        } catch (Exception cause) {
            cause.printStackTrace();
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < arguments.length; i += 2) OPTIONS.put(arguments[i], arguments[i + 1]);
        Path home = Path.of(OPTIONS.get("--home")).toAbsolutePath();
        for (String folder : List.of("config", "data", "logs", "modules", "plugins")) {
            Files.createDirectories(home.resolve(folder));
        }
        List<PluginInfo> plugins = new ArrayList<>();
        for (String name : MODULES) plugins.add(onClassPath(name));
        plugins.add(onClassPath(BasicAuthPlugin.class.getName()));
        plugins.add(onClassPath(TlsPlugin.class.getName()));
        LogConfigurator.registerErrorListener();
        Node node = new EmbeddedNode(new Environment(settings(home), home.resolve("config")), plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        new CountDownLatch(1).await();
    }
}
